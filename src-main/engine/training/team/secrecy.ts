import { createHash } from 'node:crypto';
import type { ConnectionOptions, TlsOptions } from 'node:tls';

/**
 * TLS 1.3 with a shared key (RFC 8446, 2.2): the run's token is the key. Each end proves to the other that it has it, so no
 * certificate is needed. An eavesdropper learns nothing, even with the token: every connection agrees on a fresh secret.
 */
const common = {
  minVersion: 'TLSv1.3',
  // Both hash with SHA-256, as a shared key requires.
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
} as const;

/** The protocol of a team's connections; other versions of Likeness are not let in. */
const version = 'likeness-team-3';

/** Which process a connection belongs to, and whether it carries work or the sign that the process lives. */
export interface Caller {
  readonly kind: 'work' | 'heartbeat';
  /** Process id and a random number. */
  readonly id: string;
}

const keyOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** For the run's end. `called` hears who connects, before their key is checked. */
export function listeningOptions(
  token: string,
  called: (socket: object, caller: Caller) => void,
): TlsOptions {
  const key = keyOf(token);
  return {
    ...common,
    handshakeTimeout: 10_000,
    pskCallback: (socket, identity) => {
      const [spoken, kind, id = ''] = identity.split(' ');
      if (spoken !== version || (kind !== 'work' && kind !== 'heartbeat') || id.length > 100) return null;
      called(socket, { kind, id });
      return key;
    },
  };
}

/** For a worker's end, at "host:port"; all of it but the functions can be sent to a thread. */
export function callingOptions(address: string, token: string, { kind, id }: Caller) {
  return { ...common, ...parts(address), psk: keyOf(token), identity: `${version} ${kind} ${id}` };
}
export type Calling = ReturnType<typeof callingOptions>;

/** No certificate is good enough: the other end has the key, or it is a stranger. */
export const strangers: Pick<ConnectionOptions, 'ca' | 'checkServerIdentity'> = {
  ca: [],
  checkServerIdentity: (_host, certificate) =>
    Object.keys(certificate).length === 0 ? undefined : new Error('it shows a certificate, not the key'),
};

export function parts(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}
