import { frameMesh, projectMesh } from './camera.ts';
import { gatherLight } from './light.ts';
import { bounds } from './mesh.ts';
import type { Mesh } from './mesh.ts';
import { compose, paintBackdrop, shadeGround, surroundings } from './picture.ts';
import type { Random } from './random.ts';
import { renderObject } from './renderObject.ts';
import type { Stage } from './stage.ts';
import { castShadows } from './shadows.ts';

export interface Pose {
  /** Radians; 0 sees the front. */
  azimuth: number;
  elevation: number;
  fov: number;
  /** Longest side of the object in the picture, 0 to 1. */
  fill: number;
  centerX: number;
  centerY: number;
}

/** How large the object is in the picture, and how often. */
const framings: { fill: [number, number]; share: number }[] = [
  { fill: [0.58, 0.8], share: 0.58 },
  { fill: [0.82, 0.97], share: 0.32 },
  { fill: [1, 1.25], share: 0.1 },
];

/** A view as people take it: mostly from the front half and a little above, the object near the middle. */
export function randomPose(mesh: Mesh, random: Random): Pose {
  const { min, max } = bounds(mesh.positions);
  const width = max[0] - min[0];
  const height = max[1] - min[1];
  const depth = max[2] - min[2];
  // What lies flat is looked at from above, what is thin not from its edge.
  const flat = height < 0.3 * Math.max(width, depth);
  const thin = depth < 0.45 * width;
  const widest = thin ? 0.75 : 1.1;
  const behind = !thin && random.chance(0.06);
  const high = random.chance(0.15);
  // As people photograph: a third close up, so that the object fills the picture, a few so close that it is cut off.
  const [least, most] = random.weighted(framings, (framing) => framing.share).fill;
  return {
    azimuth: behind ? random.range(1.9, 4.4) : random.range(-widest, widest),
    elevation: flat ? random.range(0.38, 0.85) : high ? random.range(0.45, 0.75) : random.range(0.07, 0.42),
    fov: random.range(0.42, 0.8),
    fill: random.range(least, most),
    centerX: random.range(-0.07, 0.07),
    centerY: random.range(-0.14, -0.02) * (least > 0.8 ? 0.4 : 1),
  };
}

/** The words for where the camera stood; absent where nothing is worth saying. */
export function viewOf(pose: Pose): string | undefined {
  const turn = Math.abs(((pose.azimuth + 3 * Math.PI) % (2 * Math.PI)) - Math.PI);
  if (pose.elevation > 0.55) return 'from above';
  if (turn < 0.22) return 'from the front';
  if (turn > 2.6) return 'from behind';
  return turn > 1.3 && turn < 1.85 ? 'from the side' : undefined;
}

/** The mesh turned about the vertical axis; the camera then always looks along -z. */
function turned(mesh: Mesh, angle: number): Mesh {
  const sin = Math.sin(angle);
  const cos = Math.cos(angle);
  const turn = (from: Float32Array) => {
    const to = new Float32Array(from.length);
    for (let i = 0; i < from.length; i += 3) {
      const x = from[i] as number;
      const z = from[i + 2] as number;
      to[i] = cos * x - sin * z;
      to[i + 1] = from[i + 1] as number;
      to[i + 2] = sin * x + cos * z;
    }
    return to;
  };
  return { ...mesh, positions: turn(mesh.positions), normals: turn(mesh.normals) };
}

/** The place without anything in it. */
export function photographPlace(stage: Stage, random: Random, size: number): Uint8Array {
  const view = { size, pitch: random.range(-0.05, 0.3), fov: random.range(0.7, 1.1), contactRow: 0.8 };
  return compose(paintBackdrop({ ...stage, blur: stage.blur * 0.5 }, view), null, size, 1);
}

/** Photographs an object on a stage: 8-bit sRGB [size × size × 3]. */
export function photograph(mesh: Mesh, stage: Stage, pose: Pose, random: Random, size: number): Uint8Array {
  const supersampling = 2;
  const object = turned(mesh, pose.azimuth);
  const camera = frameMesh(object, { ...pose, ...(stage.floating ? { centerY: pose.centerY + 0.08 } : {}) });
  const light = gatherLight(surroundings(stage), stage);
  const shadows = castShadows(object, light.sun, random.range(1, 3));
  const layer = renderObject(object, camera, light, shadows, size * supersampling);
  const screen = projectMesh(camera, object, 1);
  let contactRow = 0;
  for (let i = 1; i < screen.length; i += 3) contactRow = Math.max(contactRow, screen[i] as number);
  const backdrop = paintBackdrop(stage, {
    size,
    pitch: pose.elevation * 0.85,
    fov: Math.min(1.15, pose.fov * 1.45 + 0.15),
    contactRow: Math.min(0.97, contactRow - 0.04),
  });
  if (!stage.floating) shadeGround(backdrop, size, camera, shadows, stage.sunShare);
  return compose(backdrop, layer, size, supersampling);
}
