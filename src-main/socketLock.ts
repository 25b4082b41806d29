import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { problem } from '../src-shared/messages/index.ts';

/** Decides which hosts may be reached, and hears of every attempt to reach another machine. */
export interface SocketPolicy {
  readonly allows: () => boolean;
  readonly tried: (host: string, refused: boolean) => void;
}

type Words = readonly unknown[];
type Callable = (...words: unknown[]) => unknown;

let policy: SocketPolicy | undefined;

/**
 * From now on, every connection, datagram and name look-up of this process to another machine is reported to `next`, and throws
 * `offline.blocked` unless it is allowed. Servers are not affected: they don't connect, they are connected to.
 */
export function guardSockets(next: SocketPolicy): void {
  const first = policy === undefined;
  policy = next;
  if (!first) return;
  around(net.Socket.prototype, 'connect', hostOf);
  around(dgram.Socket.prototype, 'connect', (words) => nameIn(words[1]));
  around(dgram.Socket.prototype, 'send', (words) =>
    nameIn(words.find((word, place) => place > 1 && typeof word === 'string')),
  );
  // Looking up a name already tells others about it.
  for (const place of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype])
    for (const name of Object.keys(Object.getOwnPropertyDescriptors(place)))
      if (/^(lookup|resolve|reverse)/.test(name)) around(place, name, ([host]) => nameIn(host));
  syncBuiltinESMExports();
}

/** Wraps a method so that the policy is asked first. */
function around(object: object, name: string, hostIn: (words: Words) => string | undefined): void {
  const before = Reflect.get(object, name) as Callable;
  if (typeof before !== 'function') return;
  Reflect.set(object, name, function (this: unknown, ...words: unknown[]) {
    const host = hostIn(words);
    if (host !== undefined && !isLoopback(host)) {
      const refused = policy?.allows() !== true;
      policy?.tried(host, refused);
      if (refused) throw problem('offline.blocked', { host });
    }
    return Reflect.apply(before, this, words);
  });
}

/** The host passed to `connect` in any of its forms; undefined for a local pipe. */
function hostOf(words: Words): string | undefined {
  const [first, second] = Array.isArray(words[0]) ? (words[0] as unknown[]) : words;
  if (typeof first === 'object' && first !== null) {
    // http passes "path: null".
    const { path, host } = first as { path?: string | null; host?: string };
    return path ? undefined : nameIn(host);
  }
  if (typeof first === 'string' && Number.isNaN(Number(first))) return undefined;
  return nameIn(second);
}

/** No name means this machine. */
function nameIn(word: unknown): string {
  return typeof word === 'string' && word !== '' ? word : 'localhost';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
