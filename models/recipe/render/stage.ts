import type { Rgb } from './colors.ts';
import type { Ground } from './grounds.ts';
import type { Radiance } from './light.ts';
import { samplePanorama } from './panorama.ts';
import type { Panorama } from './panorama.ts';
import type { Random } from './random.ts';

/** One place to photograph an object in, made anew for each picture. Brightness: white paper in the light is about 0.85. */
export interface Stage {
  backdrop: Radiance;
  /** Painted ground; without it the backdrop goes on below the horizon. */
  ground?: Ground;
  sunYaw: number;
  sunPitch: number;
  sunShare: number;
  sunColor: Rgb;
  exposure: number;
  tint: number;
  /** Strongest blur of the background, in picture widths. */
  blur: number;
  /** Objects float and throw no shadow. */
  floating?: boolean;
  /** How far the ground goes on (the camera stands 1 above it); then the backdrop, a wall, begins. */
  groundReach?: number;
}

export interface Scene {
  key: string;
  /** Wordings that follow the noun: "a dog …". The first is the plainest. */
  phrases: string[];
  weight: number;
  make(random: Random, panoramas: Map<string, Panorama>): Stage;
}

export const neutral: Rgb = [1, 1, 1];

/** Brightest direction of the upper half, at least 22 degrees up. */
function brightest(pano: Panorama): { yaw: number; pitch: number } {
  let best = -1;
  let at = { yaw: 0, pitch: 0.8 };
  const color = [0, 0, 0];
  for (let p = 1; p < 16; p++) {
    for (let y = 0; y < 64; y++) {
      const yaw = (y / 64) * 2 * Math.PI;
      const pitch = (p / 16) * (Math.PI / 2);
      samplePanorama(pano, yaw, pitch, color);
      const l = (color[0] as number) + (color[1] as number) + (color[2] as number);
      if (l > best) {
        best = l;
        at = { yaw, pitch };
      }
    }
  }
  return { yaw: at.yaw, pitch: Math.max(0.4, at.pitch) };
}

/** Mean luminance near and below the horizon, where the picture will be cut from. */
function viewLevel(pano: Panorama): number {
  let sum = 0;
  let count = 0;
  const color = [0, 0, 0];
  for (let p = -7; p <= 3; p++) {
    for (let y = 0; y < 48; y++) {
      samplePanorama(pano, (y / 48) * 2 * Math.PI, p * 0.08, color);
      sum += Math.min(
        3,
        0.3 * (color[0] as number) + 0.6 * (color[1] as number) + 0.1 * (color[2] as number),
      );
      count++;
    }
  }
  return sum / count;
}

const measured = new WeakMap<Panorama, { sun: { yaw: number; pitch: number }; level: number }>();

interface PanoramaLook {
  level: number;
  sunShare: number;
  sunColor?: Rgb;
  tint?: number;
  exposure?: number;
  gain?: Rgb;
  floating?: boolean;
}

export function panoramaScene(
  key: string,
  source: string,
  weight: number,
  phrases: string[],
  look: PanoramaLook,
): Scene {
  return {
    key,
    phrases,
    weight,
    make(random, panoramas) {
      const pano = panoramas.get(source);
      if (!pano) throw new Error(`No panorama "${source}".`);
      const known = measured.get(pano) ?? { sun: brightest(pano), level: viewLevel(pano) };
      measured.set(pano, known);
      const turn = random.range(0, 2 * Math.PI);
      const mirror = random.chance(0.5) ? -1 : 1;
      const [r, g, b] = (look.gain ?? neutral).map(
        (c) => (c * look.level * random.range(0.88, 1.12)) / known.level,
      ) as Rgb;
      return {
        backdrop(yaw, pitch, out) {
          samplePanorama(pano, mirror * yaw + turn, pitch, out);
          out[0] = (out[0] as number) * r;
          out[1] = (out[1] as number) * g;
          out[2] = (out[2] as number) * b;
        },
        sunYaw: mirror * (known.sun.yaw - turn),
        sunPitch: known.sun.pitch,
        sunShare: look.sunShare,
        sunColor: look.sunColor ?? neutral,
        exposure: look.exposure ?? random.range(0.8, 1.05),
        tint: look.tint ?? 0.5,
        blur: random.range(0, 0.012),
        ...(look.floating ? { floating: true } : {}),
      };
    },
  };
}

interface Painted {
  ground: (random: Random) => Ground;
  backdrop: (random: Random) => Radiance;
  sunShare: [number, number];
  sunColor?: Rgb;
  exposure?: [number, number];
  blur?: [number, number];
  tint?: number;
  floating?: boolean;
  groundReach?: number;
}

export function paintedScene(key: string, weight: number, phrases: string[], paint: Painted): Scene {
  return {
    key,
    phrases,
    weight,
    make(random) {
      return {
        ground: paint.ground(random),
        backdrop: paint.backdrop(random),
        sunYaw: random.range(-Math.PI, Math.PI),
        sunPitch: random.range(0.5, 1.2),
        sunShare: random.range(...paint.sunShare),
        sunColor: paint.sunColor ?? neutral,
        exposure: random.range(...(paint.exposure ?? [0.82, 1.05])),
        tint: paint.tint ?? 0.5,
        blur: random.range(...(paint.blur ?? [0.008, 0.04])),
        ...(paint.floating ? { floating: true } : {}),
        ...(paint.groundReach ? { groundReach: paint.groundReach } : {}),
      };
    },
  };
}
