import { srgb } from './colors.ts';
import type { Rgb } from './colors.ts';
import { glaze } from './coats.ts';
import { drawTexture } from './meshBuilder.ts';
import { noise } from './noise.ts';
import { contrast } from './rules.ts';
import type { Build } from './rules.ts';

export const candle: Build = (b, random, color) => {
  const height = random.range(0.4, 0.95);
  const r = random.range(0.14, 0.26);
  b.lathe(
    [
      [0, 0],
      [r, 0],
      [r, height],
      [r * 0.9, height - 0.01],
      [r * 0.5, height - 0.04],
      [0, height - 0.04],
    ],
    b.material(color, { specular: 0.15, emission: 0.08 }),
    [0, 0, 0],
    false,
  );
  b.tube(
    (t) => [0, height - 0.05 + 0.1 * t, 0],
    () => 0.01,
    b.material(srgb(30, 26, 22)),
    2,
  );
  b.lathe(
    [
      [0, 0],
      [0.045, 0.05],
      [0.035, 0.11],
      [0, 0.2],
    ],
    b.material(srgb(255, 200, 90), { emission: 1.2 }),
    [0, height + 0.03, 0],
  );
  if (random.chance(0.4))
    b.lathe(
      [
        [0, 0],
        [r * 1.6, 0],
        [r * 1.8, 0.06],
        [r * 1.7, 0.06],
        [0, 0.02],
      ],
      b.material(srgb(200, 170, 90), { specular: 0.7 }),
      [0, -0.01, 0],
      false,
    );
};

export const clock: Build = (b, random, color) => {
  const shell = b.material(color, { specular: 0.5, shininess: 60 });
  const [hour, minute] = [random.range(0, 2 * Math.PI), random.range(0, 2 * Math.PI)];
  const face = drawTexture(96, (u, v) => {
    const x = u * 2 - 1;
    const y = v * 2 - 1;
    const r = Math.hypot(x, y);
    const angle = Math.atan2(x, y);
    const hand = (a: number, length: number, width: number) => {
      const along = x * Math.sin(a) + y * Math.cos(a);
      return along > 0 && along < length && Math.abs(x * Math.cos(a) - y * Math.sin(a)) < width;
    };
    const tick = Math.abs((((angle / (2 * Math.PI)) * 12 + 12.5) % 1) - 0.5) < 0.09;
    if (hand(hour, 0.5, 0.06) || hand(minute, 0.75, 0.045) || r < 0.07 || (tick && r > 0.74 && r < 0.92))
      return srgb(25, 25, 28);
    return srgb(245, 243, 236);
  });
  b.surface(
    (u, v) => [0.42 * Math.sin(-u * 2 * Math.PI), 0.5 + 0.42 * Math.cos(u * 2 * Math.PI), 0.13 - 0.26 * v],
    40,
    1,
    shell,
  );
  b.disc([0, 0.5, -0.13], 0.42, shell);
  b.surface(
    (u, v) => [
      (0.36 + 0.06 * v) * Math.sin(-u * 2 * Math.PI),
      0.5 + (0.36 + 0.06 * v) * Math.cos(u * 2 * Math.PI),
      0.13,
    ],
    40,
    1,
    shell,
  );
  b.disc([0, 0.5, 0.125], 0.37, b.material([1, 1, 1], { texture: face }));
  for (const side of [-1, 1]) {
    b.tube(
      (t) => [side * (0.22 + 0.12 * t), 0.14 - 0.14 * t, 0],
      () => 0.035,
      shell,
      3,
    );
    if (random.chance(0.9)) b.ellipsoid([side * 0.22, 0.94, 0], [0.14, 0.1, 0.12], shell, 0, -side * 0.5);
  }
};

export const backpack: Build = (b, random, color) => {
  const cloth = (c: Rgb) => {
    const seed = random.int(1 << 20);
    return b.material(c, {
      specular: 0.03,
      texture: drawTexture(64, (u, v) => c.map((x) => x * (0.85 + 0.3 * noise(u * 30, v * 30, seed))) as Rgb),
    });
  };
  const main = cloth(color);
  const second = cloth(random.chance(0.5) ? contrast(random, color) : (color.map((c) => c * 0.6) as Rgb));
  const dark = b.material(srgb(30, 30, 34));
  const width = random.range(0.62, 0.75);
  b.box([0, 0.5, 0], [width, 1, 0.34], main, 0.42);
  b.box([0, 0.32, 0.17], [width * 0.78, 0.42, 0.16], second, 0.35);
  if (random.chance(0.6)) b.box([0, 0.68, 0.16], [width * 0.7, 0.2, 0.09], main, 0.35);
  b.box([0, 0.47, 0.25], [width * 0.6, 0.02, 0.03], dark, 0.4);
  b.tube(
    (t) => [0.12 * Math.cos(t * Math.PI), 0.98 + 0.1 * Math.sin(t * Math.PI), -0.08],
    () => 0.022,
    dark,
  );
  for (const side of [-1, 1]) {
    b.tube(
      (t) => [side * width * 0.27, 0.92 - 0.8 * t, -0.16 - 0.15 * Math.sin(t * Math.PI)],
      () => 0.04,
      second,
    );
    b.box([side * width * 0.5, 0.25, 0.02], [0.08, 0.3, 0.2], second, 0.5);
  }
};

export const lamp: Build = (b, random, color) => {
  const base = b.material(random.pick([srgb(200, 160, 80), srgb(60, 60, 64), contrast(random, color)]), {
    specular: 0.5,
  });
  const shade = b.material(color, { emission: random.range(0.1, 0.5) });
  const wide = random.range(0.3, 0.42);
  const thin = random.range(0.03, 0.14);
  b.lathe(
    [
      [0, 0],
      [0.2, 0],
      [0.18, 0.04],
      [thin, 0.1],
      [thin * random.range(0.8, 1.6), 0.3],
      [0.03, 0.55],
      [0.03, 0.62],
    ],
    base,
  );
  b.lathe(
    [
      [wide, 0.52],
      [wide * random.range(0.45, 0.9), 1],
    ],
    shade,
    [0, 0, 0],
    false,
  );
};

export const book: Build = (b, random, color) => {
  const cover = b.material(color, { specular: 0.2 });
  const pages = b.material(srgb(238, 230, 210));
  const title = b.material(contrast(random, color));
  b.box([0, 0.5, 0], [0.7, 1, 0.18], cover, 0.06);
  b.box([0.02, 0.5, 0], [0.7, 0.95, 0.13], pages, 0.06);
  b.box([0, random.range(0.6, 0.75), 0.085], [0.45, 0.16, 0.02], title, 0.1);
};

export const cactus: Build = (b, random, color) => {
  const green = b.material(srgb(60, 130 + random.int(50), 60));
  b.lathe(
    [
      [0, 0],
      [0.2, 0],
      [0.28, 0.32],
      [0.3, 0.34],
      [0.26, 0.33],
      [0, 0.31],
    ],
    b.material(color, glaze(random)),
    [0, 0, 0],
    false,
  );
  b.ellipsoid([0, 0.62, 0], [random.range(0.13, 0.2), 0.36, 0.15], green);
  if (random.chance(0.6))
    b.tube(
      (t) => [0.12 + 0.16 * Math.sin(t * 1.6), 0.5 + 0.32 * t * t, 0],
      () => 0.06,
      green,
    );
  if (random.chance(0.5))
    b.tube(
      (t) => [-0.12 - 0.14 * Math.sin(t * 1.6), 0.6 + 0.24 * t * t, 0],
      () => 0.055,
      green,
    );
  if (random.chance(0.4)) b.ellipsoid([0, 0.98, 0], [0.08, 0.06, 0.08], b.material(srgb(240, 90, 150)));
};

export const mushroom: Build = (b, random, color) => {
  const other = srgb(245, 240, 228);
  const dots = drawTexture(64, (u, v) =>
    Math.hypot(((u * 8) % 1) - 0.5, (((v * 4) % 1) - 0.5) * 0.8) < 0.24 ? other : color,
  );
  b.lathe(
    [
      [0, 0],
      [0.17, 0],
      [0.13, 0.25],
      [0.12, 0.5],
    ],
    b.material(other),
  );
  b.lathe(
    [
      [0.1, 0.46],
      [0.42, 0.44],
      [0.44, 0.52],
      [random.range(0.25, 0.34), 0.75],
      [0, 0.9],
    ],
    b.material(color, { texture: dots }),
  );
};
