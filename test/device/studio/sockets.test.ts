import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** In a process of its own: the guard stays for the life of one. 192.0.2.1 is for documents (RFC 5737), nobody has it. */
function guarded(allowed: boolean): { outcomes: Record<string, string>; tried: [string, boolean][] } {
  const script = `
    import dgram from 'node:dgram';
    import dns from 'node:dns';
    import http from 'node:http';
    import net from 'node:net';
    import tls from 'node:tls';
    import { guardSockets } from './src-main/socketLock.ts';
    const main = async () => {
      const tried = [];
      guardSockets({ allows: () => ${allowed}, tried: (host, refused) => tried.push([host, refused]) });
      const outcomes = {};
      const attempt = async (name, work) => {
        try { await work(); outcomes[name] = 'done'; }
        catch (error) { outcomes[name] = error.code ?? error.cause?.code ?? error.message; }
      };
      const server = http.createServer((_request, response) => response.end('here')).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address();
      await attempt('loopback', () => fetch('http://127.0.0.1:' + port));
      await attempt('localhost', () => dns.promises.lookup('localhost'));
      if (!${allowed}) {
        await attempt('net', () => net.connect(80, '192.0.2.1'));
        await attempt('netOptions', () => net.connect({ port: 80, host: '192.0.2.1' }));
        await attempt('tls', () => tls.connect(443, '192.0.2.1'));
        await attempt('http', () => new Promise((resolve, reject) => http.get('http://192.0.2.1/', resolve).on('error', reject)));
        await attempt('fetch', () => fetch('http://192.0.2.1/'));
        await attempt('fetchName', () => fetch('https://likeness.invalid/'));
        await attempt('lookup', () => dns.promises.lookup('likeness.invalid'));
        await attempt('resolve', () => dns.promises.resolve4('likeness.invalid'));
        await attempt('resolver', () => new dns.promises.Resolver().resolve4('likeness.invalid'));
      }
      await attempt('datagram', () => new Promise((resolve, reject) => {
        const socket = dgram.createSocket('udp4');
        socket.send('x', 9, '192.0.2.1', () => { socket.close(); resolve(); });
      }));
      console.log(JSON.stringify({ outcomes, tried }));
      process.exit(0);
    };
    void main();`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as ReturnType<typeof guarded>;
}

it('the lock refuses every way to another machine, counts it, and leaves the loopback alone', () => {
  const { outcomes, tried } = guarded(false);
  const { loopback, localhost, ...others } = outcomes;
  expect([loopback, localhost]).toEqual(['done', 'done']);
  expect(Object.keys(others)).toHaveLength(10);
  expect(Object.entries(others).filter(([, outcome]) => outcome !== 'offline.blocked')).toEqual([]);
  expect(tried.length).toBeGreaterThanOrEqual(10);
  expect(tried.every(([, refused]) => refused)).toBe(true);
  expect(new Set(tried.map(([host]) => host))).toEqual(new Set(['192.0.2.1', 'likeness.invalid']));
});

it('with the lock open the same is let through, and counted', () => {
  const { outcomes, tried } = guarded(true);
  expect(outcomes).toMatchObject({ loopback: 'done', localhost: 'done' });
  expect(outcomes['datagram']).not.toBe('offline.blocked');
  expect(tried).toContainEqual(['192.0.2.1', false]);
});
