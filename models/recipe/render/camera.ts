import type { Mesh } from './mesh.ts';

export type Vector = [number, number, number];

export function normalize([x, y, z]: Vector): Vector {
  const length = Math.hypot(x, y, z) || 1;
  return [x / length, y / length, z / length];
}

export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** A pinhole camera; pixels are square, `focal` is in half picture heights. */
export interface Camera {
  eye: Vector;
  right: Vector;
  up: Vector;
  forward: Vector;
  focal: number;
  /** Shift of the picture in half picture heights: recentres without turning the camera. */
  shiftX: number;
  shiftY: number;
}

/** Camera on a sphere round (0, height, 0), looking at it. Azimuth 0 sees the front. Angles in radians. */
function orbitCamera(
  azimuth: number,
  elevation: number,
  distance: number,
  fov: number,
  height: number,
): Camera {
  const forward: Vector = [
    -Math.sin(azimuth) * Math.cos(elevation),
    -Math.sin(elevation),
    -Math.cos(azimuth) * Math.cos(elevation),
  ];
  const right = normalize(cross(forward, [0, 1, 0]));
  const up = cross(right, forward);
  const eye: Vector = [-forward[0] * distance, height - forward[1] * distance, -forward[2] * distance];
  return { eye, right, up, forward, focal: 1 / Math.tan(fov / 2), shiftX: 0, shiftY: 0 };
}

/** Corners of all triangles in pixels of a `size`² picture, with nearness 1/distance; NaN behind the camera. */
export function projectMesh(camera: Camera, mesh: Mesh, size: number): Float32Array {
  const p = mesh.positions;
  const out = new Float32Array(p.length);
  const { eye, right, up, forward, focal, shiftX, shiftY } = camera;
  for (let i = 0; i < p.length; i += 3) {
    const x = (p[i] as number) - eye[0];
    const y = (p[i + 1] as number) - eye[1];
    const z = (p[i + 2] as number) - eye[2];
    const depth = x * forward[0] + y * forward[1] + z * forward[2];
    if (depth < 1e-3) {
      out[i] = NaN;
      continue;
    }
    const sx = (focal * (x * right[0] + y * right[1] + z * right[2])) / depth + shiftX;
    const sy = (focal * (x * up[0] + y * up[1] + z * up[2])) / depth + shiftY;
    out[i] = (1 + sx) * 0.5 * size;
    out[i + 1] = (1 - sy) * 0.5 * size;
    out[i + 2] = 1 / depth;
  }
  return out;
}

/**
 * Places a camera so that the mesh fills `fill` (0-1) of the picture's side, its middle at (`centerX`, `centerY`)
 * in half picture heights from the middle of the picture.
 */
export function frameMesh(
  mesh: Mesh,
  view: { azimuth: number; elevation: number; fov: number; fill: number; centerX: number; centerY: number },
): Camera {
  let distance = 3 / Math.tan(view.fov / 2);
  let height = 0.3;
  let camera = orbitCamera(view.azimuth, view.elevation, distance, view.fov, height);
  for (let round = 0; round < 4; round++) {
    camera = orbitCamera(view.azimuth, view.elevation, distance, view.fov, height);
    const screen = projectMesh(camera, mesh, 2);
    let x0 = Infinity;
    let x1 = -Infinity;
    let y0 = Infinity;
    let y1 = -Infinity;
    for (let i = 0; i < screen.length; i += 3) {
      const x = (screen[i] as number) - 1;
      const y = 1 - (screen[i + 1] as number);
      if (Number.isNaN(x)) continue;
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
    }
    const extent = Math.max(x1 - x0, y1 - y0) / 2;
    camera.shiftX = view.centerX - (x0 + x1) / 2;
    camera.shiftY = view.centerY - (y0 + y1) / 2;
    if (round === 3) break;
    height += (((y0 + y1) / 2) * distance * Math.tan(view.fov / 2)) / Math.cos(view.elevation);
    distance = Math.max(0.9, distance * (extent / view.fill));
  }
  return camera;
}
