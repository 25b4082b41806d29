/** Soft toys put together from ellipsoids, with proportions that differ each time. */
import { srgb } from './colors.ts';
import type { ColorName, Rgb } from './colors.ts';
import { drawTexture } from './meshBuilder.ts';
import type { MeshBuilder } from './meshBuilder.ts';
import { noise } from './noise.ts';
import type { Random } from './random.ts';
import { contrast } from './rules.ts';
import type { Build, Rule } from './rules.ts';

interface Skins {
  fur: number;
  light: number;
  dark: number;
  eye: number;
  accent: number;
}

function skins(b: MeshBuilder, random: Random, color: Rgb): Skins {
  const seed = random.int(1 << 20);
  const furry = (c: Rgb) =>
    b.material(c, {
      specular: 0,
      texture: drawTexture(
        64,
        (u, v) => c.map((x) => x * (0.72 + 0.56 * noise(u * 26, v * 26, seed))) as Rgb,
      ),
    });
  const white = color[0] > 0.75 && color[2] > 0.7;
  const pale = color.map((c) => (white ? c * 0.75 : c + (0.85 - c) * 0.6)) as Rgb;
  return {
    fur: furry(color),
    light: furry(pale),
    dark: b.material(srgb(34, 28, 26), { specular: 0.3 }),
    eye: b.material(srgb(18, 16, 16), { specular: 0.9, shininess: 60 }),
    accent: b.material(contrast(random, color)),
  };
}

/** Head on +z side of a sitting or standing body; answers where the head is. */
function face(b: MeshBuilder, s: Skins, y: number, z: number, r: number): void {
  for (const side of [-1, 1])
    b.ellipsoid([side * r * 0.4, y + r * 0.18, z + r * 0.86], [r * 0.13, r * 0.15, r * 0.1], s.eye);
}

/** A sitting toy: body, head, four limbs. */
function sitting(b: MeshBuilder, random: Random, s: Skins): { y: number; z: number; r: number } {
  const fat = random.range(0.24, 0.31);
  b.ellipsoid([0, 0.3, 0], [fat, 0.31, fat * 0.85], s.fur);
  b.ellipsoid([0, 0.28, fat * 0.32], [fat * 0.68, 0.22, fat * 0.62], s.light);
  const r = random.range(0.23, 0.3);
  const y = 0.56 + r * 0.75;
  for (const side of [-1, 1]) {
    b.ellipsoid(
      [side * fat * 0.95, 0.4, 0.1],
      [0.085, 0.2, 0.09],
      s.fur,
      -0.5,
      side * random.range(0.35, 0.8),
    );
    b.ellipsoid([side * fat * 0.7, 0.1, fat * 0.8], [0.1, 0.1, 0.22], s.fur);
    b.ellipsoid([side * fat * 0.7, 0.1, fat * 0.8 + 0.19], [0.085, 0.09, 0.03], s.light);
  }
  b.ellipsoid([0, y, 0.02], [r * 1.05, r, r * 0.95], s.fur);
  face(b, s, y, 0.02, r);
  if (random.chance(0.35)) {
    for (const side of [-1, 1])
      b.ellipsoid([side * 0.09, 0.55, fat * 0.75], [0.09, 0.055, 0.04], s.accent, 0, side * 0.4);
  }
  return { y, z: 0.02, r };
}

function snout(b: MeshBuilder, s: Skins, head: { y: number; z: number; r: number }, length: number): void {
  b.ellipsoid(
    [0, head.y - head.r * 0.22, head.z + head.r * 0.8],
    [head.r * 0.42, head.r * 0.34, head.r * length],
    s.light,
  );
  b.ellipsoid(
    [0, head.y - head.r * 0.08, head.z + head.r * (0.78 + length)],
    [head.r * 0.15, head.r * 0.11, head.r * 0.09],
    s.dark,
  );
}

const bear: Build = (b, random, color) => {
  const s = skins(b, random, color);
  const head = sitting(b, random, s);
  snout(b, s, head, 0.36);
  for (const side of [-1, 1]) {
    b.ellipsoid(
      [side * head.r * 0.78, head.y + head.r * 0.8, 0],
      [head.r * 0.34, head.r * 0.34, head.r * 0.18],
      s.fur,
    );
    b.ellipsoid(
      [side * head.r * 0.78, head.y + head.r * 0.8, 0.04],
      [head.r * 0.2, head.r * 0.2, head.r * 0.12],
      s.light,
    );
  }
};

const dog: Build = (b, random, color) => {
  const s = skins(b, random, color);
  const ears = random.chance(0.5) ? s.dark : s.fur;
  const hang = random.range(0.9, 1.3);
  const ear = (y: number, z: number, r: number) => {
    for (const side of [-1, 1])
      b.ellipsoid(
        [side * r * 1.0, y + r * 0.1, z],
        [r * 0.22, r * 0.6 * hang, r * 0.34],
        ears,
        0,
        side * 0.3,
      );
  };
  if (random.chance(0.5)) {
    const head = sitting(b, random, s);
    snout(b, s, head, 0.5);
    ear(head.y, head.z, head.r);
    return;
  }
  const r = random.range(0.17, 0.22);
  b.ellipsoid([0, 0.42, 0], [0.18, 0.19, 0.36], s.fur);
  b.ellipsoid([0, 0.68, 0.34], [r, r, r], s.fur);
  b.ellipsoid([0, 0.55, 0.25], [0.12, 0.17, 0.14], s.fur, 0.5);
  face(b, s, 0.68, 0.34, r);
  snout(b, s, { y: 0.68, z: 0.34, r }, 0.55);
  ear(0.7, 0.32, r);
  for (const side of [-1, 1])
    for (const z of [-0.24, 0.22]) b.ellipsoid([side * 0.11, 0.17, z], [0.07, 0.2, 0.075], s.fur);
  b.tube(
    (t) => [0, 0.5 + 0.25 * t, -0.33 - 0.12 * Math.sin(t * 2)],
    () => 0.04,
    s.fur,
  );
};

const cat: Build = (b, random, color) => {
  const s = skins(b, random, color);
  const head = sitting(b, random, s);
  b.ellipsoid(
    [0, head.y - head.r * 0.25, head.z + head.r * 0.86],
    [head.r * 0.3, head.r * 0.2, head.r * 0.18],
    s.light,
  );
  b.ellipsoid(
    [0, head.y - head.r * 0.12, head.z + head.r * 1.02],
    [head.r * 0.09, head.r * 0.07, head.r * 0.06],
    s.accent,
  );
  for (const side of [-1, 1]) {
    b.lathe(
      [
        [head.r * 0.38, 0],
        [0, head.r * 0.7],
      ],
      s.fur,
      [side * head.r * 0.58, head.y + head.r * 0.62, 0],
      false,
      12,
    );
  }
  b.tube(
    (t) => [0.2 + 0.22 * Math.sin(t * 2), 0.1 + 0.35 * t, -0.2],
    () => 0.045,
    s.fur,
  );
};

const bunny: Build = (b, random, color) => {
  const s = skins(b, random, color);
  const head = sitting(b, random, s);
  b.ellipsoid(
    [0, head.y - head.r * 0.2, head.z + head.r * 0.9],
    [head.r * 0.3, head.r * 0.22, head.r * 0.16],
    s.light,
  );
  b.ellipsoid(
    [0, head.y - head.r * 0.1, head.z + head.r * 1.04],
    [head.r * 0.1, head.r * 0.08, head.r * 0.06],
    s.dark,
  );
  const tall = random.range(0.9, 1.3);
  const lean = random.range(0.05, 0.35);
  for (const side of [-1, 1]) {
    b.ellipsoid(
      [side * head.r * (0.4 + lean), head.y + head.r * (0.8 + tall * 0.6), 0],
      [head.r * 0.25, head.r * tall, head.r * 0.16],
      s.fur,
      0,
      -side * lean,
    );
    b.ellipsoid(
      [side * head.r * (0.4 + lean), head.y + head.r * (0.8 + tall * 0.6), head.r * 0.1],
      [head.r * 0.13, head.r * tall * 0.75, head.r * 0.1],
      s.light,
      0,
      -side * lean,
    );
  }
};

const elephant: Build = (b, random, color) => {
  const s = skins(b, random, color);
  const head = sitting(b, random, s);
  b.tube(
    (t) => [0, head.y - head.r * 0.1 - 0.3 * t + 0.12 * t * t, head.z + head.r * 0.85 + 0.2 * t],
    (t) => 0.085 - 0.035 * t,
    s.fur,
  );
  for (const side of [-1, 1])
    b.ellipsoid(
      [side * head.r * 1.25, head.y + 0.02, -0.02],
      [head.r * 0.62, head.r * 0.72, head.r * 0.12],
      s.light,
      0,
      side * 0.2,
    );
};

const duck: Build = (b, random, color) => {
  const skin = b.material(color, { specular: 0.5, shininess: 40 });
  const beak = b.material(srgb(240, 120, 30), { specular: 0.3 });
  const eye = b.material(srgb(20, 18, 18), { specular: 0.9 });
  const r = random.range(0.21, 0.27);
  b.ellipsoid([0, 0.27, 0], [0.3, 0.27, 0.42], skin);
  b.ellipsoid([0, 0.4, -0.4], [0.13, 0.1, 0.18], skin, -0.7);
  b.ellipsoid([0, 0.5 + r * 0.8, 0.2], [r, r, r], skin);
  b.ellipsoid([0, 0.47 + r * 0.7, 0.2 + r * 1.05], [r * 0.5, r * 0.2, r * 0.45], beak);
  for (const side of [-1, 1]) {
    b.ellipsoid([side * 0.27, 0.32, -0.06], [0.07, 0.15, 0.24], skin, 0.25);
    b.ellipsoid([side * r * 0.5, 0.52 + r, 0.2 + r * 0.8], [r * 0.13, r * 0.17, r * 0.1], eye);
  }
};

const penguin: Build = (b, random, color) => {
  const s = skins(b, random, color);
  const white = b.material(srgb(240, 240, 238));
  const orange = b.material(srgb(240, 140, 40));
  b.ellipsoid([0, 0.42, 0], [0.3, 0.42, 0.26], s.fur);
  b.ellipsoid([0, 0.4, 0.08], [0.23, 0.35, 0.21], white);
  b.ellipsoid([0, 0.86, 0], [0.21, 0.2, 0.2], s.fur);
  b.ellipsoid([0, 0.83, 0.21], [0.06, 0.04, 0.09], orange);
  face(b, s, 0.86, 0, 0.2);
  for (const side of [-1, 1]) {
    b.ellipsoid([side * 0.31, 0.46, 0], [0.05, 0.24, 0.12], s.fur, 0, side * random.range(0.2, 0.6));
    b.ellipsoid([side * 0.13, 0.03, 0.16], [0.11, 0.04, 0.14], orange);
  }
};

const monster: Build = (b, random, color) => {
  const s = skins(b, random, color);
  const white = b.material(srgb(245, 245, 242), { specular: 0.4 });
  const wide = random.range(0.28, 0.4);
  const tall = random.range(0.36, 0.5);
  b.ellipsoid([0, tall + 0.06, 0], [wide, tall, wide * 0.85], s.fur);
  const eyes = random.pick([1, 2, 2, 3]);
  for (let k = 0; k < eyes; k++) {
    const x = (k - (eyes - 1) / 2) * 0.2;
    const r = eyes === 1 ? 0.15 : 0.09;
    b.ellipsoid([x, tall * 1.3, wide * 0.72], [r, r, r * 0.7], white);
    b.ellipsoid([x, tall * 1.3, wide * 0.72 + r * 0.6], [r * 0.45, r * 0.5, r * 0.3], s.eye);
  }
  b.ellipsoid([0, tall * 0.82, wide * 0.76], [wide * 0.5, 0.06, 0.06], s.dark);
  for (const side of [-1, 1]) {
    b.lathe(
      [
        [0.07, 0],
        [0.05, 0.12],
        [0, 0.24],
      ],
      s.accent,
      [side * wide * 0.55, tall * 1.75, 0],
    );
    b.ellipsoid([side * wide, tall * 0.9, 0], [0.07, 0.2, 0.08], s.fur, 0, side * random.range(0.5, 1.4));
    b.ellipsoid([side * wide * 0.45, 0.06, 0.06], [0.12, 0.07, 0.16], s.accent);
  }
};

const soft: ColorName[] = [
  'brown',
  'brown',
  'white',
  'gray',
  'pink',
  'blue',
  'black',
  'yellow',
  'purple',
  'red',
  'green',
];
const plush = (animal: string) => [
  `${animal} toy`,
  'stuffed animal',
  'plush toy',
  `stuffed ${animal}`,
  'toy',
];

export const plushToys: Rule[] = [
  { nouns: ['teddy bear', 'stuffed animal', 'plush toy', 'toy'], weight: 4, build: bear, colors: soft },
  { nouns: plush('dog'), weight: 3, build: dog, colors: soft },
  { nouns: plush('cat'), weight: 2.5, build: cat, colors: soft },
  { nouns: plush('bunny'), weight: 2.5, build: bunny, colors: soft },
  {
    nouns: plush('elephant'),
    weight: 1.5,
    build: elephant,
    colors: ['gray', 'gray', 'blue', 'pink', 'purple'],
  },
  {
    nouns: ['duck toy', 'rubber duck', 'toy duck', 'toy'],
    weight: 3.5,
    build: duck,
    colors: ['yellow', 'yellow', 'yellow', 'white', 'pink', 'blue', 'green'],
  },
  { nouns: plush('penguin'), weight: 1.5, build: penguin, colors: ['black', 'black', 'blue', 'gray'] },
  { nouns: ['monster toy', 'toy', 'plush toy', 'stuffed animal'], weight: 2.5, build: monster },
];
