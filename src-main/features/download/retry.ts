/** Tries without progress before a download is given up. */
const tries = 4;
/** Most seconds to wait for a busy server. */
const longest = 300;

/** Milliseconds to wait after failed try number `attempt`, or undefined when it was the last. */
export function waitBefore(attempt: number): number | undefined {
  return attempt < tries ? 500 * 2 ** (attempt - 1) : undefined;
}

/** Whether the same request may succeed later: it timed out, there were too many, or the server has trouble. */
export function mayPass(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** Milliseconds that Retry-After asks for (RFC 9110, 10.2.3: seconds or a date), at most five minutes; undefined without one. */
export function retryAfter(value: string | null, now = Date.now()): number | undefined {
  if (value === null) return undefined;
  const seconds = /^\d+$/.test(value.trim()) ? Number(value) : (Date.parse(value) - now) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), longest) * 1000;
}
