/** Ranks of merges: the pair's tokens → its place in the order of learning. */
export type MergeRanks = ReadonlyMap<string, number>;

export function mergeRanks(merges: readonly (readonly [string, string])[]): MergeRanks {
  const ranks = new Map<string, number>();
  // A pair listed twice keeps its last place, as in the tokenizers library.
  merges.forEach(([left, right], rank) => ranks.set(`${left} ${right}`, rank));
  return ranks;
}

/**
 * Byte-pair encoding (Sennrich, Haddow, Birch 2016): the earliest learned pair is merged first, from left to right.
 * @param symbols stand-in characters of a word's bytes, the last with `</w>`
 */
export function mergePairs(symbols: readonly string[], ranks: MergeRanks): string[] {
  let tokens = [...symbols];
  const rankAt = (list: readonly (string | undefined)[], i: number) =>
    ranks.get(`${list[i]} ${list[i + 1]}`) ?? Infinity;
  for (;;) {
    let best = Infinity;
    for (let i = 0; i + 1 < tokens.length; i++) best = Math.min(best, rankAt(tokens, i));
    if (best === Infinity) return tokens;
    const merged: string[] = [];
    let i = 0;
    while (i < tokens.length) {
      if (rankAt(tokens, i) !== best) {
        merged.push(tokens[i++] as string);
        continue;
      }
      merged.push(`${tokens[i]}${tokens[i + 1]}`);
      i += 2;
      // A merge can make a pair that was learned earlier still; that one goes before the rest of this pass.
      const earlier = Math.min(
        rankAt(merged, merged.length - 2),
        rankAt([merged[merged.length - 1], tokens[i]], 0),
      );
      if (earlier < best) break;
    }
    tokens = [...merged, ...tokens.slice(i)];
  }
}
