import { once } from 'node:events';
import { connect, createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { connect as connectTls, createServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { input, meanSquaredError, parameter } from '../../../../src-main/engine/graph/build.ts';
import { f32 } from '../../../../src-main/engine/tensor/tensor.ts';
import { layoutOf, LocalGradients } from '../../../../src-main/engine/training/loss/gradients.ts';
import { Team } from '../../../../src-main/engine/training/team/team.ts';
import { workFor, type WorkerOptions } from '../../../../src-main/engine/training/team/worker.ts';
import { certificate, privateKey } from './certificate.ts';

const size = 5000;
const loss = {
  loss: meanSquaredError(parameter('weight', [size]), input('target', [size])),
  trained: ['weight'],
};
const { signal } = new AbortController();

let team: Team;
let port: number;
const notes: string[] = [];
beforeEach(async () => {
  notes.length = 0;
  ({ team, port } = await Team.open({
    ...{ layout: layoutOf(loss), run: { subject: 'a secret dog' }, listen: '127.0.0.1:0', signal },
    ...{ report: (note: string) => notes.push(note), onUnfit: () => undefined },
  }));
});
afterEach(() => team.dispose());

const worker = (more: Partial<WorkerOptions> = {}): Promise<number> =>
  workFor({
    ...{ address: `127.0.0.1:${port}`, token: team.token, name: 'worker-of-the-test', signal },
    open: () => LocalGradients.create({ ...loss, weights: () => undefined }),
    ...more,
  });
const stranger = (more: Partial<WorkerOptions> = {}): Promise<number> =>
  worker({ open: () => expect.fail('the run was told to a stranger'), ...more });

/** Stands between the two ends and writes down all that passes. */
async function recorder(): Promise<{ address: string; recorded: () => Buffer; server: Server }> {
  const pieces: Buffer[] = [];
  const server = createTcpServer((here) => {
    const there = connect(port, '127.0.0.1');
    for (const [from, to] of [[here, there] as const, [there, here] as const]) {
      from.on('data', (bytes) => {
        pieces.push(bytes);
        to.write(bytes);
      });
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port: own } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${own}`, recorded: () => Buffer.concat(pieces), server };
}

describe('between the machines of a team', () => {
  it('a recorder on the wire finds no plain text', async () => {
    const { address, recorded, server } = await recorder();
    const work = worker({ address });
    const values = new Float32Array(team.layout.length).fill(0.123);
    const into = new Float32Array(team.layout.length);
    const target = f32([size], new Float32Array(size).fill(0.456));
    const { loss: value } = await team.compute([{ target }], values, into);
    expect(value).toBeCloseTo((0.456 - 0.123) ** 2, 5);
    await team.dispose();
    expect(await work).toBe(1);

    const wire = recorded();
    // Weights, a batch and a gradient have gone over it.
    expect(wire.length).toBeGreaterThan(3 * 4 * size);
    const numbers = [values, target.data, into].map((array) => Buffer.from(array.buffer, 0, 8));
    const words = [team.token, 'secret dog', '"type"', 'gradient', 'worker-of-the-test'].map((text) =>
      Buffer.from(text),
    );
    for (const plain of [...numbers, ...words]) expect(wire.includes(plain)).toBe(false);
    server.close();
  });

  it.each(['guessed', '', ' '])('nobody gets in with the token "%s"', async (token) => {
    await expect(stranger({ token })).rejects.toMatchObject({ code: 'team.refused' });
    expect(team.size).toBe(0);
  });

  it('nor with words, nor with a connection that has no key', async () => {
    const plain = connect(port, '127.0.0.1');
    plain.on('error', () => undefined);
    let answer = '';
    plain.on('data', (bytes) => (answer += bytes.toString('latin1')));
    plain.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{"type":"ready","length":5000,"name":"me"}');
    await once(plain, 'close');
    expect(answer).not.toContain('secret');

    const keyless = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await expect(once(keyless, 'secureConnect')).rejects.toThrow(/handshake/);
    expect(team.size).toBe(0);
    expect(notes).toEqual([]);
  });

  it('a worker tells nothing to a run that shows a certificate in place of the key', async () => {
    const heard: string[] = [];
    const server = createServer({ key: privateKey, cert: certificate }, (socket) =>
      socket.on('data', (bytes: Buffer) => heard.push(bytes.toString())),
    );
    server.on('tlsClientError', () => undefined);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port: own } = server.address() as AddressInfo;
    await expect(stranger({ address: `127.0.0.1:${own}` })).rejects.toMatchObject({
      code: 'team.notUnderstood',
    });
    expect(heard).toEqual([]);
    server.close();
  });

  it('what answers without TLS is no run', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port: own } = server.address() as AddressInfo;
    await expect(stranger({ address: `127.0.0.1:${own}` })).rejects.toMatchObject({
      code: 'team.notUnderstood',
    });
    server.close();
    await expect(stranger({ address: `127.0.0.1:${own}` })).rejects.toMatchObject({
      code: 'team.unreachable',
    });
  });
});
