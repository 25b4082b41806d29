/** Two names of one module (or tensor): theirs, and diffusers'. */
export type NamePair = readonly [theirs: string, ours: string];

/**
 * Renames tensors by the longest module name that is listed: with `[['a.0', 'b']]`, `a.0.weight` becomes `b.weight`.
 * The returned function gives undefined for a tensor outside every listed module.
 */
export function renamer(
  pairs: Iterable<readonly [from: string, to: string]>,
): (name: string) => string | undefined {
  const modules = new Map(pairs);
  return (name) => {
    for (let end = name.length; end > 0; end = name.lastIndexOf('.', end - 1)) {
      const to = modules.get(name.slice(0, end));
      if (to !== undefined) return to + name.slice(end);
    }
    return undefined;
  };
}

export function swapped(pairs: readonly NamePair[]): NamePair[] {
  return pairs.map(([theirs, ours]) => [ours, theirs]);
}
