/**
 * Objects built by rule, new ones for every picture: they give the common class nouns (vase, mug, can, toy, backpack…)
 * the variety that a handful of catalogue models cannot.
 */
import { namedColors, srgb } from './colors.ts';
import type { ColorName, Rgb } from './colors.ts';
import { drawTexture, MeshBuilder } from './meshBuilder.ts';
import { noise } from './noise.ts';
import type { Mesh, Texture } from './mesh.ts';
import type { Subject } from './objects.ts';
import type { Random } from './random.ts';
import { plushToys } from './plushToys.ts';
import { contrast } from './rules.ts';
import type { Build, Rule } from './rules.ts';

const bright: ColorName[] = [
  'red',
  'red',
  'orange',
  'yellow',
  'green',
  'turquoise',
  'blue',
  'blue',
  'purple',
  'pink',
  'white',
  'black',
  'brown',
  'gray',
];

/** A pattern in two colours, mostly the first; plain in a third of the cases. */
export function pattern(random: Random, color: Rgb): Texture | undefined {
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

function glaze(random: Random): { specular: number; shininess: number } {
  return random.chance(0.6)
    ? { specular: random.range(0.3, 0.9), shininess: random.range(30, 90) }
    : { specular: 0.02, shininess: 10 };
}

/** Material in the main colour, perhaps patterned. */
function coat(b: MeshBuilder, random: Random, color: Rgb): number {
  const texture = pattern(random, color);
  return b.material(color, { ...glaze(random), ...(texture ? { texture } : {}) });
}

const vase: Build = (b, random, color) => {
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

const bowl: Build = (b, random, color) => {
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
  b.tube(
    (t) => [radius - 0.02 + out * Math.sin(t * Math.PI), low + (high - low) * t, 0],
    () => 0.035,
    material,
  );
}

const mug: Build = (b, random, color) => {
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

const can: Build = (b, random, color) => {
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

const bottle: Build = (b, random, color) => {
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

const candle: Build = (b, random, color) => {
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

const clock: Build = (b, random, color) => {
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

const teapot: Build = (b, random, color) => {
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

const ball: Build = (b, random, color) => {
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

const backpack: Build = (b, random, color) => {
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

const toyCar: Build = (b, random, color) => {
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

const robot: Build = (b, random, color) => {
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

const lamp: Build = (b, random, color) => {
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

const book: Build = (b, random, color) => {
  const cover = b.material(color, { specular: 0.2 });
  const pages = b.material(srgb(238, 230, 210));
  const title = b.material(contrast(random, color));
  b.box([0, 0.5, 0], [0.7, 1, 0.18], cover, 0.06);
  b.box([0.02, 0.5, 0], [0.7, 0.95, 0.13], pages, 0.06);
  b.box([0, random.range(0.6, 0.75), 0.085], [0.45, 0.16, 0.02], title, 0.1);
};

const blocks: Build = (b, random, color) => {
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

const cactus: Build = (b, random, color) => {
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

const mushroom: Build = (b, random, color) => {
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

const house: Build = (b, random, color) => {
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

const rules: Rule[] = [
  { nouns: ['vase'], weight: 4, build: vase },
  { nouns: ['bowl'], weight: 2, build: bowl },
  { nouns: ['mug', 'cup', 'coffee mug'], weight: 3.5, build: mug },
  { nouns: ['can', 'soda can', 'tin can'], weight: 3.5, build: can },
  { nouns: ['bottle'], weight: 2, build: bottle },
  { nouns: ['candle'], weight: 2.5, build: candle },
  { nouns: ['clock', 'alarm clock'], weight: 3.5, build: clock },
  { nouns: ['teapot'], weight: 3, build: teapot },
  { nouns: ['ball', 'toy ball'], weight: 2, build: ball },
  { nouns: ['backpack', 'bag'], weight: 4, build: backpack },
  { nouns: ['toy car', 'toy', 'car toy'], weight: 2.5, build: toyCar },
  { nouns: ['robot toy', 'robot', 'toy', 'toy robot'], weight: 3, build: robot },
  { nouns: ['lamp', 'table lamp'], weight: 1.5, build: lamp },
  { nouns: ['book'], weight: 2, build: book },
  { nouns: ['toy blocks', 'blocks', 'toy'], weight: 1, build: blocks, named: false },
  { nouns: ['cactus', 'potted cactus'], weight: 1.2, build: cactus, named: false },
  { nouns: ['mushroom'], weight: 1, build: mushroom, colors: ['red', 'red', 'brown', 'orange', 'purple'] },
  { nouns: ['toy house', 'house'], weight: 1.2, build: house },
  ...plushToys,
];

/** The same interface as the catalogue's models. */
export function madeSubjects(): Subject[] {
  return rules.map((rule) => ({
    id: `made/${(rule.nouns[0] ?? '').replaceAll(' ', '-')}`,
    nouns: rule.nouns,
    weight: rule.weight,
    natural: false,
    load(random): Promise<{ mesh: Mesh; color?: ColorName }> {
      const color = random.pick(rule.colors ?? bright);
      const builder = new MeshBuilder();
      const shade = namedColors[color].map((c) => c * random.range(0.85, 1.12)) as Rgb;
      rule.build(builder, random, shade);
      return Promise.resolve({ mesh: builder.build(), ...(rule.named === false ? {} : { color }) });
    },
  }));
}
