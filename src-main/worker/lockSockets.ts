import dgram from 'node:dgram';
import dns from 'node:dns';
import net from 'node:net';
import { problem } from '../../src-shared/messages/index.ts';

/** From here on this process reaches nobody but itself: a connection to another machine, or a name looked up, throws `offline.blocked`. */
export function lockSockets(): void {
  const refuse = (host: string): never => {
    throw problem('offline.blocked', { host });
  };
  const connect = Reflect.get(net.Socket.prototype, 'connect') as (...words: unknown[]) => net.Socket;
  net.Socket.prototype.connect = function (this: net.Socket, ...words: unknown[]) {
    const host = hostOf(words);
    if (host !== undefined && !isLoopback(host)) refuse(host);
    return Reflect.apply(connect, this, words);
  };
  dgram.Socket.prototype.send = () => refuse('a datagram');
  dns.lookup = ((host: string) => refuse(host)) as unknown as typeof dns.lookup;
}

/** The host that `connect` was given, in any of its forms; nothing for a pipe of this machine. */
function hostOf(words: readonly unknown[]): string | undefined {
  const [first, second] = Array.isArray(words[0]) ? (words[0] as unknown[]) : words;
  if (typeof first === 'object' && first !== null) {
    const { path, host = 'localhost' } = first as { path?: string; host?: string };
    return path === undefined ? host : undefined;
  }
  if (typeof first === 'string' && Number.isNaN(Number(first))) return undefined;
  return typeof second === 'string' ? second : 'localhost';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}
