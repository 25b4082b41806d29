import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { needFile } from '../paths.ts';

export const panoramaWidth = 512;
export const panoramaHeight = 256;

/** An equirectangular picture of all directions, linear RGB; row 0 is the zenith, the horizon the middle row. */
export interface Panorama {
  width: number;
  height: number;
  rgb: Float32Array;
}

/**
 * Turns decoded RGBA (rows from the nadir up, as three's loader gives them) into clean RGB rows from the zenith
 * down. Pixels at suns and lamps decode to negative, infinite or single-channel values: those are replaced by the
 * mean of their sound neighbours, and the rest is capped.
 */
export function mendPanorama(
  rgba: Float32Array,
  width = panoramaWidth,
  height = panoramaHeight,
): Float32Array {
  const cap = 60;
  const rgb = new Float32Array(width * height * 3);
  const broken: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = ((height - 1 - y) * width + x) * 4;
      const to = (y * width + x) * 3;
      let sound = true;
      let low = Infinity;
      let high = 0;
      for (let c = 0; c < 3; c++) {
        const v = rgba[from + c] ?? 0;
        if (!Number.isFinite(v) || v < -1e-3) sound = false;
        low = Math.min(low, v);
        high = Math.max(high, v);
        rgb[to + c] = Math.min(cap, Math.max(0, Number.isFinite(v) ? v : 0));
      }
      if (high > 2 && low < high * 0.04) sound = false;
      if (!sound) broken.push(y * width + x);
    }
  }
  const bad = new Set(broken);
  for (const pixel of broken) {
    const x = pixel % width;
    const y = (pixel - x) / width;
    const sum = [0, 0, 0];
    let count = 0;
    for (let radius = 1; radius < 12 && count < 3; radius++) {
      for (let dy = -radius; dy <= radius; dy++) {
        for (let dx = -radius; dx <= radius; dx++) {
          const yy = y + dy;
          if (yy < 0 || yy >= height || Math.max(Math.abs(dx), Math.abs(dy)) !== radius) continue;
          const at = yy * width + ((x + dx + width) % width);
          if (bad.has(at)) continue;
          for (let c = 0; c < 3; c++) sum[c] = (sum[c] ?? 0) + (rgb[at * 3 + c] ?? 0);
          count++;
        }
      }
    }
    for (let c = 0; c < 3; c++) rgb[pixel * 3 + c] = count > 0 ? (sum[c] ?? 0) / count : 0;
  }
  return rgb;
}

/** Reads one panorama that `fetchData.ts` decoded. */
export function loadPanorama(cache: string, name: string): Panorama {
  const bytes = readFileSync(needFile(join(cache, 'panoramas', `${name}.f32`)));
  const rgb = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return { width: panoramaWidth, height: panoramaHeight, rgb };
}

/** Bilinear lookup; `yaw` in radians (any), `pitch` in radians (up is positive). Writes linear RGB into `out`. */
export function samplePanorama(
  pano: Panorama,
  yaw: number,
  pitch: number,
  out: Float32Array | number[],
): void {
  const { width, height, rgb } = pano;
  let u = yaw / (2 * Math.PI);
  u = (u - Math.floor(u)) * width - 0.5;
  const v = Math.min(height - 1, Math.max(0, (0.5 - pitch / Math.PI) * height - 0.5));
  const x0 = Math.floor(u);
  const y0 = Math.floor(v);
  const fx = u - x0;
  const fy = v - y0;
  const xa = (x0 + width) % width;
  const xb = (x0 + 1) % width;
  const y1 = Math.min(height - 1, y0 + 1);
  for (let c = 0; c < 3; c++) {
    const top = (rgb[(y0 * width + xa) * 3 + c] ?? 0) * (1 - fx) + (rgb[(y0 * width + xb) * 3 + c] ?? 0) * fx;
    const bottom =
      (rgb[(y1 * width + xa) * 3 + c] ?? 0) * (1 - fx) + (rgb[(y1 * width + xb) * 3 + c] ?? 0) * fx;
    out[c] = top * (1 - fy) + bottom * fy;
  }
}

/** The panoramas that scenes use. */
export const panoramaNames =
  'forest park city sunset venice dawn sunrise night sky apartment esplanade hall lab lobby warehouse workshop'.split(
    ' ',
  );
