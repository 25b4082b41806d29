/** Tries without progress before a download is given up. */
const tries = 4;
/** Longer than this nobody waits for a server that is busy; seconds. */
const longest = 300;

/** Milliseconds to wait after failed try number `attempt`, or undefined when it was the last. */
export function waitBefore(attempt: number): number | undefined {
  return attempt < tries ? 500 * 2 ** (attempt - 1) : undefined;
}

/** A request timed out, too many of them, or the server's own trouble: the same request may do later. */
export function mayPass(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** Milliseconds that Retry-After asks for (RFC 9110, 10.2.3: seconds or a date), at most five minutes; undefined without one. */
export function retryAfter(value: string | null, now = Date.now()): number | undefined {
  if (value === null) return undefined;
  const seconds = /^\d+$/.test(value.trim()) ? Number(value) : (Date.parse(value) - now) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), longest) * 1000;
}
