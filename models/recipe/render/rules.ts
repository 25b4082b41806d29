import { namedColors } from './colors.ts';
import type { ColorName, Rgb } from './colors.ts';
import type { MeshBuilder } from './meshBuilder.ts';
import type { Random } from './random.ts';

/** Adds the solids of one object whose main colour is given. */
export type Build = (b: MeshBuilder, random: Random, color: Rgb) => void;

/** One kind of object built by rule. `colors` limits what the main colour may be; `named: false` keeps it out of the captions. */
export interface Rule {
  nouns: string[];
  weight: number;
  build: Build;
  colors?: ColorName[];
  named?: boolean;
}

/** A second colour that stands out from the first. */
export function contrast(random: Random, color: Rgb): Rgb {
  const others = Object.values<Rgb>(namedColors).filter(
    (c) => Math.hypot(...c.map((v, k) => Math.sqrt(v) - Math.sqrt(color[k] ?? 0))) > 0.45,
  );
  return random.pick(others);
}
