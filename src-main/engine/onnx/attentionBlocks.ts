/**
 * Scores of the largest block on a GPU: 8 MB in f32, an eighth of a head at 64², for several such blocks wait there for the device at a
 * time; in training 16 MB, as a block's gradients have to be added up.
 */
export const scoresOnDevice = { alone: 1 << 21, inTraining: 1 << 22 } as const;

export interface ScoreSizes {
  /** Heads of all pictures. */
  readonly all: number;
  /** Queries. */
  readonly targets: number;
  /** Keys. */
  readonly sources: number;
}

/** A stretch [from, to) of heads, cut into stretches of queries. */
export interface HeadBlock {
  readonly heads: readonly [number, number];
  readonly rows: readonly (readonly [number, number])[];
}

/** Cuts the scores [all, targets, sources] into blocks of at most `limit`, or one row: whole heads while they fit, else rows of one. */
export function scoreBlocks({ all, targets, sources }: ScoreSizes, limit: number): HeadBlock[] {
  const together = Math.min(all, Math.max(1, Math.floor(limit / (targets * sources))));
  const height = Math.min(targets, Math.max(1, Math.floor(limit / (together * sources))));
  const rows = stretches(targets, height);
  return stretches(all, together).map((heads) => ({ heads, rows }));
}

/** [0, length) in as few stretches of at most `limit` as there can be, of about one size. */
function stretches(length: number, limit: number): (readonly [number, number])[] {
  const count = Math.ceil(length / limit);
  const edge = (i: number): number => Math.floor((i * length) / count);
  return Array.from({ length: count }, (_, i) => [edge(i), edge(i + 1)] as const);
}
