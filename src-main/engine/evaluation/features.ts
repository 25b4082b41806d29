import type { Picture } from '../pictures/pixels.ts';

/** A space in which likeness is an angle: pictures, and with a text tower prompts too, as vectors of length 1. */
export interface Features {
  /** The name in figures: "MobileNetV2". */
  readonly name: string;
  pictures(pictures: readonly Picture[]): Promise<Float32Array[]>;
  prompts?(prompts: readonly string[]): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

/** `vector` at length 1, in place; one of zeros stays. */
export function normalized(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector) || 1;
  for (let i = 0; i < vector.length; i++) (vector[i] as number) /= length;
  return vector;
}

/** Cosine of the angle between two vectors of length 1. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

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
