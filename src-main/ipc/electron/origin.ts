/** The page's address has its own scheme, so that nothing is read with the rights of `file:`. */
export const origin = 'likeness://studio';

/** Whether an address is the studio's own page. Not by `URL.origin`, which is "null" for schemes that Node does not know. */
export function isOwn(url: string): boolean {
  return url.startsWith(`${origin}/`);
}
