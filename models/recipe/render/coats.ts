import { contrast } from './rules.ts';
import { drawTexture, type MeshBuilder } from './meshBuilder.ts';
import { noise } from './noise.ts';
import type { Rgb } from './colors.ts';
import type { Texture } from './mesh.ts';
import type { Random } from './random.ts';

/** A pattern in two colours, mostly the first; plain in a third of the cases. */
function pattern(random: Random, color: Rgb): Texture | undefined {
  const other = contrast(random, color);
  const kind = random.int(8);
  const count = 2 + random.int(5);
  const seed = random.int(1 << 20);
  const start = random.range(0.2, 0.6);
  const end = start + random.range(0.1, 0.25);
  if (kind < 3) return undefined;
  return drawTexture(64, (u, v) => {
    if (kind === 3) return (v * count) % 1 < 0.35 ? other : color;
    if (kind === 4) return (u * count * 2) % 1 < 0.35 ? other : color;
    if (kind === 5) {
      const x = (u * count * 2) % 1;
      const y = (v * count) % 1;
      return Math.hypot(x - 0.5, y - 0.5) < 0.27 ? other : color;
    }
    if (kind === 6) return v > start && v < end ? other : color;
    const speckle = 0.8 + 0.4 * noise(u * 24, v * 24, seed);
    return color.map((c) => c * speckle) as Rgb;
  });
}

export function glaze(random: Random): { specular: number; shininess: number } {
  return random.chance(0.6)
    ? { specular: random.range(0.3, 0.9), shininess: random.range(30, 90) }
    : { specular: 0.02, shininess: 10 };
}

/** Material in the main colour, perhaps patterned. */
export function coat(b: MeshBuilder, random: Random, color: Rgb): number {
  const texture = pattern(random, color);
  return b.material(color, { ...glaze(random), ...(texture ? { texture } : {}) });
}
