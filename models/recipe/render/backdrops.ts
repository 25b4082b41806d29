import { srgb } from './colors.ts';
import type { Rgb } from './colors.ts';
import { plain } from './grounds.ts';
import type { Ground } from './grounds.ts';
import type { Radiance } from './light.ts';
import { cells, fractalNoise, noise } from './noise.ts';
import type { Cell } from './noise.ts';
import type { Random } from './random.ts';
import { neutral } from './stage.ts';

export function lerp(out: number[], a: Rgb, b: Rgb, t: number): void {
  const k = Math.max(0, Math.min(1, t));
  for (const c of [0, 1, 2] as const) out[c] = a[c] + (b[c] - a[c]) * k;
}

/** Clear or cloudy sky from the horizon up. */
export function sky(horizon: Rgb, zenith: Rgb, clouds: number) {
  return (random: Random): Radiance => {
    const seed = random.int(1 << 20);
    const cover = random.range(0, clouds);
    return (yaw, pitch, out) => {
      lerp(out, horizon, zenith, pitch / 0.9);
      if (cover > 0.05 && pitch > 0) {
        const c = fractalNoise(yaw * 3, pitch * 7, 4, seed) - (1 - cover) * 0.62;
        const t = Math.max(0, Math.min(1, c * 4));
        for (let k = 0; k < 3; k++) out[k] = (out[k] as number) * (1 - t) + 0.95 * t;
      }
    };
  };
}

/** A skyline of hills, trees or mountains in front of a sky. */
export function skyline(
  behind: (random: Random) => Radiance,
  layers: { color: Rgb; base: number; height: number; rough: number; caps?: Rgb }[],
) {
  return (random: Random): Radiance => {
    const seed = random.int(1 << 20);
    const far = behind(random);
    return (yaw, pitch, out) => {
      far(yaw, pitch, out);
      layers.forEach((layer, k) => {
        const top =
          layer.base +
          layer.height * (fractalNoise(yaw * layer.rough + 50, k * 9.1, 4, seed + k * 13) - 0.15);
        if (pitch < top) {
          const cap =
            layer.caps && pitch > top - layer.height * (0.14 + 0.16 * noise(yaw * 20, pitch * 20, seed));
          lerp(out, cap && layer.caps ? layer.caps : layer.color, layer.color, cap ? 0 : 1);
          const shade = 0.8 + 0.4 * fractalNoise(yaw * 9, pitch * 9, 3, seed + 77);
          for (let c = 0; c < 3; c++) out[c] = (out[c] as number) * shade;
        }
      });
    };
  };
}

/** Blurred spots: leaves with light between them, city lights. */
export function spots(
  base: [Rgb, Rgb],
  colors: Rgb[],
  size: number,
  density: number,
  behind?: (random: Random) => Radiance,
) {
  return (random: Random): Radiance => {
    const seed = random.int(1 << 20);
    const far = behind?.(random);
    const cell: Cell = { nearest: 0, second: 0, value: 0 };
    return (yaw, pitch, out) => {
      if (far) far(yaw, pitch, out);
      else lerp(out, base[0], base[1], fractalNoise(yaw * 4, pitch * 4, 3, seed + 5));
      cells(yaw / size, pitch / size, seed, cell);
      if (cell.value < density && cell.nearest < 0.42) {
        const color = colors[Math.floor((cell.value / density) * colors.length)] as Rgb;
        lerp(out, color, color, 0);
      }
    };
  };
}

/** How far behind the camera's foot a wall stands. */
export const wallDistance = 3.2;

/** A wall behind: u to the right and v up from the ground, in camera heights. */
export function wall(paintWall: (u: number, v: number, out: number[], seed: number) => void) {
  return (random: Random): Radiance => {
    const seed = random.int(1 << 20);
    const shift = random.range(0, 50);
    return (yaw, pitch, out) => {
      const along = wallDistance / Math.max(0.2, Math.cos(yaw));
      paintWall(
        along * Math.sin(yaw) + shift,
        Math.max(0, 1 + along * Math.tan(Math.min(1.2, pitch))),
        out,
        seed,
      );
    };
  };
}

export function bricks(u: number, v: number, out: number[], seed: number): void {
  const row = Math.floor(v / 0.12);
  const x = u / 0.34 + (row & 1) * 0.5;
  const joint =
    Math.min(v / 0.12 - row, row + 1 - v / 0.12) < 0.08 ||
    Math.min(x - Math.floor(x), Math.floor(x) + 1 - x) < 0.03;
  if (joint) lerp(out, srgb(186, 176, 164), neutral, 0);
  else lerp(out, srgb(120, 50, 36), srgb(184, 92, 66), noise(Math.floor(x) * 3.7, row * 5.3, seed));
}

export function kitchenTiles(u: number, v: number, out: number[], seed: number): void {
  const x = u / 0.22;
  const y = v / 0.22;
  const joint =
    Math.min(x - Math.floor(x), 1 - (x - Math.floor(x)), y - Math.floor(y), 1 - (y - Math.floor(y))) < 0.04;
  lerp(out, srgb(226, 230, 226), srgb(244, 244, 240), noise(Math.floor(x) * 3, Math.floor(y) * 7, seed));
  if (joint) lerp(out, srgb(176, 180, 178), neutral, 0);
}

export function shelves(u: number, v: number, out: number[], seed: number): void {
  const shelf = Math.floor(v / 0.5);
  const within = v / 0.5 - shelf;
  const book = Math.floor(u / 0.09);
  const tall = 0.62 + 0.3 * noise(book * 5.1, shelf * 3.3, seed);
  if (within < 0.1) lerp(out, srgb(110, 70, 40), neutral, 0);
  else if (within > tall) lerp(out, srgb(46, 30, 20), neutral, 0);
  else {
    const palette: Rgb[] = [
      srgb(150, 40, 36),
      srgb(40, 70, 120),
      srgb(200, 180, 140),
      srgb(50, 100, 70),
      srgb(190, 130, 50),
      srgb(70, 50, 80),
    ];
    lerp(out, palette[Math.floor(noise(book * 9.7, shelf * 7.9, seed + 3) * 5.99)] as Rgb, neutral, 0);
  }
}

/** A sheet of one colour that curves up behind the object, lit from above. */
export function sweep(color: Rgb): {
  ground: (random: Random) => Ground;
  backdrop: (random: Random) => Radiance;
} {
  return {
    ground: () => plain(color),
    backdrop: (random) => {
      const fall = random.range(0, 0.35);
      return (_yaw, pitch, out) => lerp(out, color, color.map((c) => c * (1 - fall)) as Rgb, pitch / 0.6);
    },
  };
}
