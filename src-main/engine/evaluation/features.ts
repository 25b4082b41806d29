import type { Picture } from '../pipelines/pixels.ts';

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
