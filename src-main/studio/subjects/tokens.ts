/** Words that mean nothing to a model; each subject gets one for prompts. */
const rare = [
  ...['sks', 'zwx', 'vkj', 'qfz', 'xjt', 'wvq', 'gzk', 'hxv', 'jqm', 'kvd', 'pzg', 'tqw', 'bxf', 'dzv'],
  ...['fqk', 'mxw', 'nvz', 'qjb', 'rxg', 'vzt'],
];

/** A token that is not `taken`, so that two subjects can be in one picture. */
export function freeToken(taken: readonly string[]): string {
  const used = new Set(taken.map((token) => token.toLowerCase()));
  const free = rare.find((token) => !used.has(token));
  if (free !== undefined) return free;
  for (let number = 2; ; number++) if (!used.has(`sks${number}`)) return `sks${number}`;
}
