import { namedColors, srgb } from './colors.ts';
import type { Rgb } from './colors.ts';
import { drawTexture } from './meshBuilder.ts';
import { contrast } from './rules.ts';
import type { Build } from './rules.ts';

export const ball: Build = (b, random, color) => {
  const other = contrast(random, color);
  const count = 2 + random.int(4);
  const kind = random.int(3);
  const texture = drawTexture(64, (u, v) => {
    if (kind === 0) return Math.floor(u * count * 2) & 1 ? other : color;
    if (kind === 1) return Math.abs(v - 0.5) < 0.12 ? other : color;
    return Math.hypot(((u * count * 2) % 1) - 0.5, ((v * count) % 1) - 0.5) < 0.25 ? other : color;
  });
  b.ellipsoid(
    [0, 0.5, 0],
    [0.5, 0.5, 0.5],
    b.material(color, { specular: 0.5, shininess: 40, ...(random.chance(0.7) ? { texture } : {}) }),
    random.range(-0.6, 0.6),
    random.range(-0.6, 0.6),
  );
};

export const toyCar: Build = (b, random, color) => {
  const body = b.material(color, { specular: 0.5, shininess: 60 });
  const glass = b.material(srgb(150, 195, 215), { specular: 0.7 });
  const tyre = b.material(srgb(30, 30, 32));
  const hub = b.material(contrast(random, color), { specular: 0.5 });
  const tall = random.range(0.2, 0.32);
  b.box([0, 0.26, 0], [0.42, 0.24, 1], body, 0.3);
  b.box([0, 0.36 + tall / 2, random.range(-0.15, 0.02)], [0.36, tall, random.range(0.42, 0.6)], glass, 0.4);
  b.box([0, 0.36 + tall, -0.08], [0.34, 0.06, 0.4], body, 0.4);
  for (const side of [-1, 1]) {
    for (const z of [-0.3, 0.3]) {
      b.ellipsoid([side * 0.21, 0.13, z], [0.07, 0.14, 0.14], tyre);
      b.ellipsoid([side * 0.26, 0.13, z], [0.04, 0.07, 0.07], hub);
    }
    b.ellipsoid(
      [side * 0.14, 0.27, 0.5],
      [0.05, 0.05, 0.03],
      b.material(srgb(255, 240, 190), { emission: 0.3 }),
    );
  }
};

export const robot: Build = (b, random, color) => {
  const shell = b.material(color, { specular: 0.6, shininess: 50 });
  const second = b.material(contrast(random, color), { specular: 0.5, shininess: 50 });
  const eye = b.material(random.pick([srgb(255, 235, 120), srgb(120, 230, 255), srgb(255, 90, 80)]), {
    emission: 0.6,
  });
  const round = random.range(0.12, 0.5);
  const width = random.range(0.36, 0.5);
  b.box([0, 0.44, 0], [width, 0.4, 0.3], shell, round);
  b.box([0, 0.8, 0], [width * random.range(0.75, 1.05), 0.28, 0.28], shell, round);
  b.box([0, 0.46, 0.15], [width * 0.6, 0.2, 0.04], second, 0.3);
  b.tube(
    (t) => [0, 0.93 + 0.12 * t, 0],
    () => 0.012,
    second,
    2,
  );
  b.ellipsoid([0, 1.06, 0], [0.035, 0.035, 0.035], eye);
  for (const side of [-1, 1]) {
    b.ellipsoid([side * width * 0.22, 0.82, 0.14], [0.055, 0.055, 0.03], eye);
    b.box(
      [side * (width / 2 + 0.06), 0.44, 0],
      [0.1, 0.36, 0.12],
      second,
      0.4,
      0,
      side * random.range(0, 0.4),
    );
    b.box([side * width * 0.25, 0.12, 0.02], [0.14, 0.24, 0.2], second, 0.3);
  }
};

export const blocks: Build = (b, random, color) => {
  const colors = [color, contrast(random, color), random.pick(Object.values<Rgb>(namedColors))];
  let y = 0;
  for (const c of colors) {
    const side = random.range(0.3, 0.42);
    b.box(
      [random.range(-0.04, 0.04), y + side / 2, random.range(-0.04, 0.04)],
      [side, side, side],
      b.material(c, { specular: 0.3 }),
      0.12,
    );
    y += side;
  }
};

export const house: Build = (b, random, color) => {
  const roof = b.material(contrast(random, color));
  b.box([0, 0.25, 0], [0.7, 0.5, 0.6], b.material(color), 0.06);
  b.surface(
    (u, v) => [(u - 0.5) * 0.8, 0.5 + 0.36 * (1 - Math.abs(2 * v - 1)), (v - 0.5) * 0.75],
    1,
    2,
    roof,
  );
  for (const side of [-1, 1])
    b.surface((u, v) => [side * 0.35, 0.5 + 0.34 * v, (u - 0.5) * 0.6 * (1 - v)], 1, 4, b.material(color));
  b.box([0, 0.15, 0.3], [0.14, 0.3, 0.02], roof, 0.1);
  for (const side of [-1, 1])
    b.box(
      [side * 0.22, 0.3, 0.3],
      [0.13, 0.13, 0.02],
      b.material(srgb(180, 220, 240), { specular: 0.6 }),
      0.1,
    );
};
