/** What kohya's trainer reads in a folder's name, `10_sks dog`: how often its photos are repeated, the token and the class. */
export function kohyaFolder(
  name: string,
): { readonly repeats: number; readonly token: string; readonly noun: string } | undefined {
  const [, repeats, token, noun] = /^(\d+)_(\S+) (.+)$/.exec(name) ?? [];
  return repeats === undefined || token === undefined || noun === undefined
    ? undefined
    : { repeats: Number(repeats), token, noun };
}
