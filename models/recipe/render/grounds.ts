import type { Rgb } from './colors.ts';
import { srgb } from './colors.ts';
import { cells, fractalNoise, noise } from './noise.ts';
import type { Cell } from './noise.ts';
import type { Random } from './random.ts';

/** Linear colour of a point of the ground; the camera stands 1 above it. */
export type Ground = (x: number, z: number, out: number[]) => void;

function blend(out: number[], a: Rgb, b: Rgb, t: number): void {
  for (const c of [0, 1, 2] as const) out[c] = a[c] + (b[c] - a[c]) * t;
}

function scale(out: number[], factor: number): void {
  for (let c = 0; c < 3; c++) out[c] = (out[c] as number) * factor;
}

/** Soil, sand, grass, snow: two colours mixed by noise of several sizes. */
function mottled(a: Rgb, b: Rgb, size: number, octaves: number): (random: Random) => Ground {
  return (random) => {
    const seed = random.int(1 << 20);
    return (x, z, out) => {
      const t = fractalNoise(x / size, z / size, octaves, seed);
      blend(out, a, b, Math.min(1, Math.max(0, (t - 0.5) * 2.4 + 0.5)));
    };
  };
}

function scattered(
  base: Ground,
  colors: Rgb[],
  size: number,
  density: number,
  radius: number,
  seed: number,
): Ground {
  const cell: Cell = { nearest: 0, second: 0, value: 0 };
  return (x, z, out) => {
    base(x, z, out);
    cells(x / size, z / size, seed, cell);
    if (cell.value < density && cell.nearest < radius) {
      const color = colors[Math.floor((cell.value / density) * colors.length)] as Rgb;
      blend(out, color, color, 0);
      scale(out, 0.75 + 0.5 * (1 - cell.nearest / radius));
    }
  };
}

/** Boards along z. */
function planks(light: Rgb, dark: Rgb, width: number): (random: Random) => Ground {
  return (random) => {
    const seed = random.int(1 << 20);
    const turn = random.range(0, Math.PI);
    const tone = random.range(0.75, 1.15);
    return (x, z, out) => {
      const u = (x * Math.cos(turn) + z * Math.sin(turn)) / width;
      const v = (-x * Math.sin(turn) + z * Math.cos(turn)) / width;
      const board = Math.floor(u);
      const grain = fractalNoise(u * 9, v * 0.7 + board * 31, 3, seed);
      blend(out, light, dark, 0.75 * grain + 0.5 * (noise(board * 7.3, 0.5, seed) - 0.5));
      const edge = Math.min(u - board, board + 1 - u);
      scale(out, tone * (edge < 0.035 ? 0.45 : 1));
    };
  };
}

function stones(light: Rgb, dark: Rgb, joint: Rgb, size: number): (random: Random) => Ground {
  return (random) => {
    const seed = random.int(1 << 20);
    const cell: Cell = { nearest: 0, second: 0, value: 0 };
    return (x, z, out) => {
      cells(x / size, z / size, seed, cell);
      const gap = cell.second - cell.nearest;
      if (gap < 0.12) blend(out, joint, joint, 0);
      else {
        blend(out, dark, light, 0.2 + 0.6 * cell.value);
        scale(out, 0.75 + Math.min(0.35, gap * 0.6));
      }
    };
  };
}

function tiles(a: Rgb, b: Rgb, joint: Rgb, size: number, checkered: boolean): (random: Random) => Ground {
  return (random) => {
    const seed = random.int(1 << 20);
    const turn = random.pick([0, Math.PI / 4, random.range(0, Math.PI)]);
    return (x, z, out) => {
      const u = (x * Math.cos(turn) + z * Math.sin(turn)) / size;
      const v = (-x * Math.sin(turn) + z * Math.cos(turn)) / size;
      const iu = Math.floor(u);
      const iv = Math.floor(v);
      const joints = Math.min(u - iu, iu + 1 - u, v - iv, iv + 1 - v);
      if (joints < 0.03) blend(out, joint, joint, 0);
      else blend(out, a, b, checkered ? (iu + iv) & 1 : 0.6 * noise(iu * 3.1, iv * 5.7, seed));
    };
  };
}

/** Cloth or carpet: one colour, folds or weave. */
export function cloth(color: Rgb): (random: Random) => Ground {
  return (random) => {
    const seed = random.int(1 << 20);
    const folds = random.range(0.1, 0.5);
    return (x, z, out) => {
      blend(out, color, color, 0);
      scale(
        out,
        1 -
          folds / 2 +
          folds * fractalNoise(x * 1.6 + z * 0.7, z * 1.1, 2, seed) +
          0.14 * (noise(x * 30, z * 30, seed + 9) - 0.5),
      );
    };
  };
}

export function plain(color: Rgb): Ground {
  return (_x, _z, out) => blend(out, color, color, 0);
}

const grassGround = mottled(srgb(66, 116, 34), srgb(142, 188, 72), 0.11, 4);

export const grounds = {
  grass: grassGround,
  flowers: (random: Random) =>
    scattered(
      grassGround(random),
      [srgb(250, 210, 40), srgb(240, 240, 235), srgb(225, 60, 70), srgb(190, 90, 200)],
      0.26,
      0.62,
      0.3,
      random.int(1 << 20),
    ),
  leaves: (random: Random) =>
    scattered(
      scattered(
        mottled(srgb(95, 55, 25), srgb(165, 100, 35), 0.12, 3)(random),
        [srgb(225, 120, 25), srgb(240, 175, 45), srgb(185, 60, 25)],
        0.17,
        0.8,
        0.42,
        random.int(1 << 20),
      ),
      [srgb(245, 150, 30), srgb(200, 80, 30), srgb(160, 95, 40)],
      0.13,
      0.5,
      0.4,
      random.int(1 << 20),
    ),
  wheat: mottled(srgb(178, 132, 52), srgb(236, 202, 118), 0.07, 3),
  sand: mottled(srgb(206, 178, 128), srgb(238, 218, 172), 0.25, 5),
  desertSand: mottled(srgb(206, 140, 80), srgb(240, 190, 125), 0.6, 4),
  snow: mottled(srgb(212, 222, 238), srgb(252, 253, 255), 0.5, 4),
  dirt: mottled(srgb(105, 78, 52), srgb(165, 128, 90), 0.2, 5),
  moonDust: mottled(srgb(78, 78, 82), srgb(178, 178, 180), 0.5, 5),
  asphalt: mottled(srgb(72, 74, 78), srgb(112, 113, 116), 0.05, 3),
  concrete: mottled(srgb(150, 148, 144), srgb(186, 183, 178), 0.4, 5),
  cobbles: stones(srgb(176, 168, 158), srgb(104, 98, 96), srgb(58, 54, 52), 0.34),
  oak: planks(srgb(216, 168, 112), srgb(138, 90, 48), 0.36),
  darkWood: planks(srgb(128, 82, 50), srgb(66, 40, 24), 0.3),
  whiteTiles: tiles(srgb(238, 240, 240), srgb(218, 224, 226), srgb(165, 170, 172), 0.55, false),
  checkered: tiles(srgb(236, 234, 230), srgb(40, 40, 44), srgb(120, 120, 120), 0.55, true),
  marble: (random: Random): Ground => {
    const seed = random.int(1 << 20);
    return (x, z, out) => {
      const vein = Math.abs(fractalNoise(x * 0.9, z * 0.9, 4, seed) - 0.5) * 2;
      blend(out, srgb(150, 150, 156), srgb(240, 239, 236), Math.min(1, 0.25 + vein * 5));
    };
  },
  water: (random: Random): Ground => {
    const seed = random.int(1 << 20);
    return (x, z, out) => {
      const wave = fractalNoise(x * 2.2 + 0.6 * noise(z * 3, x, seed), z * 7, 3, seed);
      blend(out, srgb(22, 84, 122), srgb(120, 190, 214), Math.max(0, Math.min(1, (wave - 0.35) * 2.2)));
    };
  },
};
