import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { linearOf } from './colors.ts';
import { emojiNouns } from './emojiNouns.ts';
import { needFile, packagesFolder } from './paths.ts';
import { compose, paintBackdrop } from './picture.ts';
import type { Random } from './random.ts';
import type { Layer } from './renderObject.ts';
import type { Stage } from './stage.ts';
import { blur } from './shadows.ts';

export interface Emoji {
  /** `emoji/<code points>` */
  id: string;
  nouns: string[];
  file: string;
}

interface EmojibaseEntry {
  label: string;
  hexcode: string;
}

/** The 3D emoji that have an everyday noun and a picture. */
export function readEmoji(): Emoji[] {
  const data = JSON.parse(
    readFileSync(needFile(join(packagesFolder, 'emojibase-data', 'en', 'data.json')), 'utf8'),
  ) as EmojibaseEntry[];
  const folder = join(packagesFolder, '@lobehub', 'fluent-emoji-3d', 'assets');
  const found: Emoji[] = [];
  for (const { label, hexcode } of data) {
    const nouns = emojiNouns.get(label);
    const code = hexcode.toLowerCase();
    const file = [code, `${code}-fe0f`, code.replace('-fe0f', '')]
      .map((c) => join(folder, `${c}.webp`))
      .find((f) => existsSync(f));
    if (nouns && file) found.push({ id: `emoji/${code}`, nouns, file });
  }
  return found;
}

interface Cutout {
  /** sRGB and alpha, [side × side × 4] */
  rgba: Uint8Array;
  side: number;
  /** Bottom of what is drawn, 0 to 1. */
  bottom: number;
}

async function loadCutout(file: string, side: number, mirror: boolean): Promise<Cutout> {
  const image = sharp(file)
    .trim()
    .resize(side, side, { fit: 'contain', background: { r: 0, g: 0, b: 0, alpha: 0 } })
    .ensureAlpha();
  const { data } = await (mirror ? image.flop() : image).raw().toBuffer({ resolveWithObject: true });
  const rgba = new Uint8Array(data);
  let bottom = 0;
  for (let i = 0; i < side * side; i++)
    if ((rgba[i * 4 + 3] as number) > 128) bottom = Math.max(bottom, Math.floor(i / side) + 1);
  return { rgba, side, bottom: bottom / side };
}

/** A 3D emoji standing on the stage's ground with a soft shadow; 8-bit sRGB [size × size × 3]. */
export async function photographEmoji(
  emoji: Emoji,
  stage: Stage,
  random: Random,
  size: number,
): Promise<Uint8Array> {
  const side = Math.round(size * random.range(0.56, 0.76));
  const { rgba, bottom } = await loadCutout(emoji.file, side, random.chance(0.5));
  const left = Math.round((size - side) / 2 + random.range(-0.05, 0.05) * size);
  const top = Math.round((size - side) / 2 + random.range(0, 0.08) * size);
  const footRow = top + bottom * side;
  const backdrop = paintBackdrop(stage, {
    size,
    pitch: random.range(0.1, 0.4),
    fov: random.range(0.8, 1.1),
    contactRow: Math.min(0.97, footRow / size - 0.03),
  });
  const gain = Math.min(1.05, stage.exposure + 0.1);
  const layer: Layer = new Float32Array(size * size * 4);
  const shadow = new Float32Array(size * size);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = (y * side + x) * 4;
      const alpha = (rgba[from + 3] as number) / 255;
      if (alpha === 0) continue;
      const at = (top + y) * size + left + x;
      for (let c = 0; c < 3; c++)
        layer[at * 4 + c] = (linearOf[rgba[from + c] as number] as number) * gain * alpha;
      layer[at * 4 + 3] = alpha;
      // The silhouette laid down on the ground, foreshortened.
      const row = Math.round(footRow - (bottom * side - y) * 0.16 + 0.02 * size);
      if (row >= 0 && row < size)
        shadow[row * size + left + x] = Math.max(shadow[row * size + left + x] as number, alpha);
    }
  }
  if (!stage.floating) {
    blur(shadow, size, size, 1, Math.max(1, size / 48));
    const strength = random.range(0.45, 0.7);
    for (let i = 0; i < size * size; i++) {
      const factor = 1 - strength * Math.min(1, shadow[i] as number);
      for (let c = 0; c < 3; c++) backdrop[i * 3 + c] = (backdrop[i * 3 + c] as number) * factor;
    }
  }
  return compose(backdrop, layer, size, 1);
}
