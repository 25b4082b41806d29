import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Sessions } from './sessions.ts';

/** Decides who may talk to a served studio: only pages of its own, under its own host name, with its token or cookie. */
export class Guard {
  readonly token = randomBytes(24).toString('base64url');

  /**
   * `hosts`: `127.0.0.1:4242` and other names of this server, as browsers write them in Host. `port`: cookies don't know ports,
   * and there may be two studios. `sessions`: other secrets than the token, as addresses get into histories and cookies do not.
   */
  constructor(
    private readonly hosts: readonly string[],
    private readonly port: number,
    private readonly secure: boolean,
    private readonly sessions: Sessions,
  ) {}

  /** Why a request is refused; undefined if it may pass. An unknown Host is another site's trick (DNS rebinding). */
  refusal({ headers, method }: IncomingMessage, isSocket = false): string | undefined {
    const { host = '', origin, cookie = '' } = headers;
    if (!this.hosts.includes(host)) return 'this is not the address of the studio';
    const own = `${this.secure ? 'https' : 'http'}://${host}`;
    if (origin === undefined ? isSocket : origin !== own) return 'this page is not of the studio';
    const site = headers['sec-fetch-site'];
    if (site === 'cross-site' || site === 'same-site') return 'another page asked for this';
    if (!isSocket && method !== 'GET' && method !== 'HEAD') return 'only reading is possible here';
    const given = new RegExp(`(?:^|; )${this.cookieName}=([\\w-]+)`).exec(cookie)?.[1] ?? '';
    return this.sessions.has(given)
      ? undefined
      : 'the token is missing; open the address that "likeness serve" printed';
  }

  /** Whether `url` has the token: then the browser gets the cookie. */
  admits({ headers }: IncomingMessage, url: URL): boolean {
    return this.hosts.includes(headers.host ?? '') && same(url.searchParams.get('token') ?? '', this.token);
  }

  /** A new browser's cookie. */
  newCookie(): string {
    return `${this.cookieName}=${this.sessions.begin()}; Path=/; HttpOnly; SameSite=Strict${this.secure ? '; Secure' : ''}`;
  }

  private get cookieName(): string {
    return `likeness-${this.port}`;
  }
}

/** Compares in constant time. */
function same(a: string, b: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
