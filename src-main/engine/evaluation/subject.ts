import { cosine } from './features.ts';

/** Mean cosine over all pairs of one of `a` and one of `b`, vectors of length 1: CLIP-I and DINO of DreamBooth. */
export function meanOfPairs(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let sum = 0;
  for (const one of a) for (const other of b) sum += cosine(one, other);
  return sum / (a.length * b.length);
}

/** Mean cosine of each of `a` and the one of `b` in its place: CLIP-T. */
export function meanOfPartners(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  return a.reduce((sum, one, i) => sum + cosine(one, b[i] as Float32Array), 0) / a.length;
}
