import { srgb } from './colors.ts';
import { coat, glaze } from './coats.ts';
import { drawTexture, type MeshBuilder } from './meshBuilder.ts';
import { noise } from './noise.ts';
import type { Random } from './random.ts';
import { contrast } from './rules.ts';
import type { Build } from './rules.ts';

export const vase: Build = (b, random, color) => {
  const skin = coat(b, random, color);
  const belly = random.range(0.22, 0.42);
  const neck = random.range(0.07, 0.24);
  const lip = neck + random.range(0, 0.12);
  b.lathe(
    [
      [0, 0],
      [random.range(0.12, 0.25), 0],
      [belly * random.range(0.7, 1), 0.22],
      [belly, random.range(0.35, 0.55)],
      [neck + 0.04, 0.74],
      [neck, 0.86],
      [lip, 1],
      [lip - 0.03, 0.99],
      [neck - 0.02, 0.85],
    ],
    skin,
  );
  if (random.chance(0.25)) {
    for (const side of [-1, 1]) {
      b.tube(
        (t) => [side * (neck + 0.02 + (belly - neck + 0.12) * Math.sin(t * Math.PI)), 0.9 - 0.4 * t, 0],
        () => 0.03,
        skin,
      );
    }
  }
};

export const bowl: Build = (b, random, color) => {
  const skin = coat(b, random, color);
  const height = random.range(0.32, 0.55);
  b.lathe(
    [
      [0, 0.03],
      [0.2, 0],
      [0.22, 0.04],
      [0.4, height * 0.5],
      [0.5, height],
      [0.47, height],
      [0.37, height * 0.5],
      [0.2, 0.09],
      [0, 0.07],
    ],
    skin,
  );
};

function handle(
  b: MeshBuilder,
  random: Random,
  radius: number,
  low: number,
  high: number,
  material: number,
): void {
  const out = random.range(0.16, 0.26);
  // Turned a little to the front: seen from there and from the left too, a mug shows its handle.
  const turn = 0.5;
  b.tube(
    (t) => {
      const r = radius - 0.02 + out * Math.sin(t * Math.PI);
      return [r * Math.cos(turn), low + (high - low) * t, r * Math.sin(turn)];
    },
    () => 0.035,
    material,
  );
}

export const mug: Build = (b, random, color) => {
  const skin = coat(b, random, color);
  const plainSkin = b.material(random.chance(0.6) ? color : contrast(random, color), glaze(random));
  const top = random.range(0.28, 0.36);
  const foot = top * random.range(0.75, 1.05);
  const height = random.range(0.6, 0.85);
  b.lathe(
    [
      [0, 0],
      [foot - 0.03, 0],
      [foot, 0.04],
      [top, height],
      [top - 0.03, height],
    ],
    skin,
    [0, 0, 0],
    false,
  );
  b.lathe(
    [
      [top - 0.03, height],
      [foot - 0.04, 0.08],
      [0, 0.08],
    ],
    plainSkin,
    [0, 0, 0],
    false,
  );
  if (random.chance(0.6))
    b.lathe(
      [
        [0, height - 0.12],
        [top - 0.035, height - 0.12],
      ],
      b.material(srgb(70, 40, 20), { specular: 0.4 }),
      [0, 0, 0],
      false,
    );
  handle(b, random, (top + foot) / 2, height * 0.18, height * 0.82, plainSkin);
};

export const can: Build = (b, random, color) => {
  const other = contrast(random, color);
  const style = random.int(4);
  const split = random.range(0.3, 0.7);
  const seed = random.int(1 << 20);
  const label = drawTexture(96, (u, v) => {
    const x = (u * 2) % 1;
    if (style === 0 && Math.hypot((x - 0.5) * 1.6, v - 0.5) < 0.27) return other;
    if (style === 1 && Math.abs(v - split - 0.12 * Math.sin(u * 4 * Math.PI)) < 0.13) return other;
    if (style === 2 && v > split) return other;
    if (
      style === 3 &&
      Math.abs(x - 0.5) < 0.24 &&
      v > 0.25 &&
      v < 0.8 &&
      noise(x * 30, Math.floor(v * 9) * 3.1, seed) > 0.45
    )
      return other;
    return color;
  });
  const metal = b.material(srgb(196, 198, 202), { specular: 0.9, shininess: 50 });
  const height = random.range(0.85, 1.05);
  const r = random.range(0.24, 0.32);
  b.lathe(
    [
      [r, 0.05],
      [r, height - 0.08],
    ],
    b.material(color, { texture: label, specular: 0.5, shininess: 50 }),
    [0, 0, 0],
    false,
  );
  b.lathe(
    [
      [0, 0.02],
      [r * 0.85, 0],
      [r, 0.05],
    ],
    metal,
    [0, 0, 0],
    false,
  );
  b.lathe(
    [
      [r, height - 0.08],
      [r * 0.86, height],
      [r * 0.82, height - 0.02],
      [0, height - 0.02],
    ],
    metal,
    [0, 0, 0],
    false,
  );
  b.box([0, height, 0.04], [0.08, 0.02, 0.14], metal, 0.4);
};

export const bottle: Build = (b, random, color) => {
  const r = random.range(0.14, 0.2);
  const shoulderAt = random.range(0.5, 0.66);
  const glass = b.material(color, {
    specular: 0.8,
    shininess: 60,
    ...(random.chance(0.4) ? { opacity: 0.75 } : {}),
  });
  b.lathe(
    [
      [0, 0],
      [r, 0],
      [r, 0.05],
      [r, shoulderAt],
      [0.07, shoulderAt + 0.16],
      [0.055, 0.94],
      [0.06, 0.98],
      [0, 0.98],
    ],
    glass,
  );
  if (random.chance(0.7))
    b.lathe(
      [
        [r + 0.004, 0.12],
        [r + 0.004, shoulderAt - 0.1],
      ],
      b.material(contrast(random, color)),
      [0, 0, 0],
      false,
    );
  b.lathe(
    [
      [0.065, 0.95],
      [0.065, 1.02],
      [0, 1.02],
    ],
    b.material(contrast(random, color), { specular: 0.4 }),
    [0, 0, 0],
    false,
  );
};

export const teapot: Build = (b, random, color) => {
  const skin = coat(b, random, color);
  const fat = random.range(0.36, 0.44);
  b.lathe(
    [
      [0, 0],
      [fat * 0.6, 0],
      [fat * 0.95, 0.14],
      [fat, 0.32],
      [fat * 0.75, 0.52],
      [fat * 0.42, 0.6],
      [fat * 0.3, 0.66],
      [0, 0.68],
    ],
    skin,
  );
  b.ellipsoid([0, 0.71, 0], [0.06, 0.06, 0.06], skin);
  b.tube(
    (t) => [fat * 0.8 + 0.34 * t, 0.2 + 0.36 * t * t + 0.05 * t, 0],
    (t) => 0.085 - 0.045 * t,
    skin,
  );
  b.tube(
    (t) => [-fat * 0.8 - 0.24 * Math.sin(t * Math.PI), 0.14 + 0.38 * t, 0],
    () => 0.035,
    skin,
  );
};
