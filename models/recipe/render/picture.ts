import { srgbByte } from './colors.ts';
import { directionOf } from './light.ts';
import type { Camera } from './camera.ts';
import type { Layer } from './renderObject.ts';
import type { Stage } from './stage.ts';
import { blur } from './shadows.ts';
import type { Shadows } from './shadows.ts';

/** Keeps 0 to 0.7 as it is and bends what is brighter towards 1. */
function shoulder(v: number): number {
  const knee = 0.7;
  return v <= knee ? v : knee + (1 - knee) * (1 - Math.exp(-(v - knee) / (1 - knee)));
}

export interface BackdropView {
  size: number;
  /** Camera pitch, radians, down positive. */
  pitch: number;
  /** Field of view of the background: wider than the object's, so that the place is recognised. */
  fov: number;
  /** Row where the object stands, 0 (top) to 1. */
  contactRow: number;
}

/** The scene without the object: linear RGB [size × size × 3], out of focus away from the object. */
export function paintBackdrop(stage: Stage, view: BackdropView): Float32Array {
  const { size, fov } = view;
  const rgb = new Float32Array(size * size * 3);
  const focal = 1 / Math.tan(fov / 2);
  const sin = Math.sin(-view.pitch);
  const cos = Math.cos(view.pitch);
  const color = [0, 0, 0];
  const samples = stage.ground
    ? [
        [0.25, 0.25],
        [0.75, 0.75],
      ]
    : [[0.5, 0.5]];
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      for (const [ox = 0.5, oy = 0.5] of samples) {
        const sx = ((x + ox) / size) * 2 - 1;
        const sy = 1 - ((y + oy) / size) * 2;
        // Camera looks along -z, turned down by `pitch`.
        const dy = sy * cos + focal * sin;
        const dz = -(focal * cos - sy * sin);
        const flat = Math.hypot(sx, dz);
        const pitch = Math.atan2(dy, flat);
        const reach = -1 / dy;
        if (stage.ground && pitch < -0.012 && -dz * reach < (stage.groundReach ?? Infinity)) {
          stage.ground(sx * reach, dz * reach, color);
        } else stage.backdrop(Math.atan2(sx, -dz), pitch, color);
        for (let c = 0; c < 3; c++) {
          const at = (y * size + x) * 3 + c;
          rgb[at] = (rgb[at] as number) + Math.min(4, color[c] as number) / samples.length;
        }
      }
    }
  }
  const radius = (stage.blur * size) / 1.7;
  if (radius < 0.5) return rgb;
  const horizonRow = 0.5 - 0.5 * focal * Math.tan(view.pitch);
  const span = Math.max(0.12, view.contactRow - horizonRow);
  const half = rgb.slice();
  blur(half, size, size, 3, Math.max(1, radius / 2));
  const full = rgb.slice();
  blur(full, size, size, 3, Math.max(1, radius));
  for (let y = 0; y < size; y++) {
    const away = stage.ground ? Math.min(1, Math.abs((y + 0.5) / size - view.contactRow) / span) : 1;
    const t = away * 2;
    for (let i = y * size * 3; i < (y + 1) * size * 3; i++) {
      const sharp = rgb[i] as number;
      const mid = half[i] as number;
      rgb[i] = t < 1 ? sharp + (mid - sharp) * t : mid + ((full[i] as number) - mid) * (t - 1);
    }
  }
  return rgb;
}

/** Darkens the backdrop where the object keeps sun and sky from the ground. `camera` is the object's. */
export function shadeGround(
  rgb: Float32Array,
  size: number,
  camera: Camera,
  shadows: Shadows,
  sunShare: number,
): void {
  const reached = { sun: 1, sky: 1 };
  const { eye, right, up, forward, focal } = camera;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const sx = (((x + 0.5) / size) * 2 - 1 - camera.shiftX) / focal;
      const sy = (1 - ((y + 0.5) / size) * 2 - camera.shiftY) / focal;
      const dy = forward[1] + sx * right[1] + sy * up[1];
      if (dy > -1e-3) continue;
      const t = -eye[1] / dy;
      const px = eye[0] + t * (forward[0] + sx * right[0] + sy * up[0]);
      const pz = eye[2] + t * (forward[2] + sx * right[2] + sy * up[2]);
      if (Math.abs(px) > 1.6 || Math.abs(pz) > 1.6) continue;
      shadows.onGround(px, pz, reached);
      const factor = sunShare * reached.sun + (1 - sunShare) * reached.sky;
      const at = (y * size + x) * 3;
      for (let c = 0; c < 3; c++) rgb[at + c] = (rgb[at + c] as number) * factor;
    }
  }
}

/** Lays the supersampled object over the backdrop; 8-bit sRGB [size × size × 3]. */
export function compose(
  backdrop: Float32Array,
  layer: Layer | null,
  size: number,
  supersampling: number,
): Uint8Array {
  const out = new Uint8Array(size * size * 3);
  const wide = size * supersampling;
  const samples = supersampling * supersampling;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = (y * size + x) * 3;
      const sum = [0, 0, 0, 0];
      if (layer) {
        for (let j = 0; j < supersampling; j++) {
          for (let i = 0; i < supersampling; i++) {
            const from = ((y * supersampling + j) * wide + x * supersampling + i) * 4;
            // Tone-mapped before averaging, so that highlights do not fray.
            for (let c = 0; c < 3; c++) sum[c] = (sum[c] as number) + shoulder(layer[from + c] as number);
            sum[3] = (sum[3] as number) + (layer[from + 3] as number);
          }
        }
      }
      const alpha = (sum[3] as number) / samples;
      for (let c = 0; c < 3; c++) {
        const v = (sum[c] as number) / samples + shoulder(backdrop[at + c] as number) * (1 - alpha);
        out[at + c] = srgbByte(v);
      }
    }
  }
  return out;
}

/** Surroundings for lighting: the stage's backdrop above, its ground below. */
export function surroundings(stage: Stage): (yaw: number, pitch: number, out: number[]) => void {
  const { ground, backdrop } = stage;
  if (!ground) return backdrop;
  return (yaw, pitch, out) => {
    if (pitch >= -0.03) {
      backdrop(yaw, pitch, out);
      return;
    }
    const d = directionOf(yaw, pitch);
    const reach = Math.min(4, -1 / d[1]);
    ground(d[0] * reach, d[2] * reach, out);
  };
}
