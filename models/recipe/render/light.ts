import { luminance } from './colors.ts';
import type { Rgb } from './colors.ts';
import { normalize } from './camera.ts';
import type { Vector } from './camera.ts';

const envWidth = 48;
const envHeight = 24;

/** Colour of the surroundings towards a direction; linear. Yaw 0 is behind the object as the camera sees it. */
export type Radiance = (yaw: number, pitch: number, out: number[]) => void;

export function directionOf(yaw: number, pitch: number): Vector {
  return [Math.sin(yaw) * Math.cos(pitch), Math.sin(pitch), -Math.cos(yaw) * Math.cos(pitch)];
}

/** The light on an object: a sun with a sharp shadow and everything else, soft. */
export interface Light {
  /** Towards the sun. */
  sun: Vector;
  sunColor: Rgb;
  /** Spherical-harmonic irradiance, 9 × RGB (Ramamoorthi and Hanrahan 2001), divided by pi. */
  ambient: Float32Array;
  /** Small equirectangular picture of the surroundings for reflections. */
  env: Float32Array;
}

export interface LightSettings {
  sunYaw: number;
  sunPitch: number;
  /** Part of the light on a face towards the sun that comes from the sun: 0 overcast, 0.7 a clear noon. */
  sunShare: number;
  sunColor: Rgb;
  /** How strongly the surroundings tint the object: 0 neutral, 1 fully. */
  tint: number;
  /** Brightness of a white face towards the light. */
  exposure: number;
}

function basis([x, y, z]: Vector): number[] {
  return [
    0.282095,
    0.488603 * y,
    0.488603 * z,
    0.488603 * x,
    1.092548 * x * y,
    1.092548 * y * z,
    0.315392 * (3 * z * z - 1),
    1.092548 * x * z,
    0.546274 * (x * x - z * z),
  ];
}

const bandWeight = [1, 2 / 3, 2 / 3, 2 / 3, 0.25, 0.25, 0.25, 0.25, 0.25];

export function ambientAt(light: Light, n: Vector, out: number[]): void {
  const b = basis(n);
  for (let c = 0; c < 3; c++) {
    let sum = 0;
    for (let k = 0; k < 9; k++) sum += (light.ambient[k * 3 + c] as number) * (b[k] as number);
    out[c] = Math.max(0.02, sum);
  }
}

export function reflectionAt(light: Light, d: Vector, out: number[]): void {
  const yaw = Math.atan2(d[0], -d[2]);
  const pitch = Math.asin(Math.max(-1, Math.min(1, d[1])));
  const x = Math.min(envWidth - 1, Math.floor((yaw / (2 * Math.PI) + 0.5) * envWidth));
  const y = Math.min(envHeight - 1, Math.floor((0.5 - pitch / Math.PI) * envHeight));
  for (let c = 0; c < 3; c++) out[c] = light.env[(y * envWidth + x) * 3 + c] as number;
}

/** Gathers the light of the surroundings, with bright spots capped, and balances it against the sun. */
export function gatherLight(radiance: Radiance, settings: LightSettings): Light {
  const env = new Float32Array(envWidth * envHeight * 3);
  const color = [0, 0, 0];
  let mean = 0;
  let weights = 0;
  const weightOf = (y: number) => Math.cos((0.5 - (y + 0.5) / envHeight) * Math.PI);
  for (let y = 0; y < envHeight; y++) {
    for (let x = 0; x < envWidth; x++) {
      radiance(((x + 0.5) / envWidth - 0.5) * 2 * Math.PI, (0.5 - (y + 0.5) / envHeight) * Math.PI, color);
      for (let c = 0; c < 3; c++) env[(y * envWidth + x) * 3 + c] = color[c] as number;
      mean +=
        Math.min(2, luminance(color[0] as number, color[1] as number, color[2] as number)) * weightOf(y);
      weights += weightOf(y);
    }
  }
  mean /= weights;
  for (let i = 0; i < env.length; i += 3) {
    const l = luminance(env[i] as number, env[i + 1] as number, env[i + 2] as number);
    const squeeze = l > 3 * mean ? (3 * mean) / l : 1;
    for (let c = 0; c < 3; c++) {
      const v = (env[i + c] as number) * squeeze;
      env[i + c] = l * squeeze + (v - l * squeeze) * settings.tint;
    }
  }
  const ambient = new Float32Array(27);
  const solid = (2 * Math.PI * Math.PI) / (envWidth * envHeight);
  for (let y = 0; y < envHeight; y++) {
    for (let x = 0; x < envWidth; x++) {
      const d = directionOf(
        ((x + 0.5) / envWidth - 0.5) * 2 * Math.PI,
        (0.5 - (y + 0.5) / envHeight) * Math.PI,
      );
      const b = basis(d);
      for (let k = 0; k < 9; k++) {
        const w = (b[k] as number) * weightOf(y) * solid * (bandWeight[k] as number);
        for (let c = 0; c < 3; c++)
          ambient[k * 3 + c] =
            (ambient[k * 3 + c] as number) + w * (env[(y * envWidth + x) * 3 + c] as number);
      }
    }
  }
  const sun = directionOf(settings.sunYaw, settings.sunPitch);
  const light: Light = { sun, sunColor: [0, 0, 0], ambient, env };
  const facing = normalize([sun[0], sun[1] + 0.6, sun[2] + 0.4]);
  const at = [0, 0, 0];
  ambientAt(light, facing, at);
  const soft = luminance(at[0] as number, at[1] as number, at[2] as number);
  const scale = (settings.exposure * (1 - settings.sunShare)) / Math.max(soft, 1e-6);
  for (let i = 0; i < 27; i++) ambient[i] = (ambient[i] as number) * scale;
  for (let i = 0; i < env.length; i++) env[i] = (env[i] as number) * scale;
  const sunLevel = settings.exposure * settings.sunShare * 1.15;
  light.sunColor = settings.sunColor.map((c) => c * sunLevel) as Rgb;
  return light;
}
