import { describe, expect, it, vi } from 'vitest';
import { frameMesh, projectMesh } from '../../../models/recipe/render/camera.ts';
import { nameColor, namedColors } from '../../../models/recipe/render/colors.ts';
import { gatherLight } from '../../../models/recipe/render/light.ts';
import { MeshBuilder } from '../../../models/recipe/render/meshBuilder.ts';
import { madeSubjects } from '../../../models/recipe/render/madeSubjects.ts';
import { photograph, randomPose } from '../../../models/recipe/render/photograph.ts';
import { mixSeed, Random } from '../../../models/recipe/render/random.ts';
import { drawTriangle, emptyVisibility } from '../../../models/recipe/render/rasterize.ts';
import { scenes } from '../../../models/recipe/render/scenes.ts';

// Rendering is slow where other jobs share the cores.
vi.setConfig({ testTimeout: 60_000 });

describe('colours', () => {
  it('finds its own names again and abstains between two', () => {
    for (const [name, color] of Object.entries<[number, number, number]>(namedColors))
      expect(nameColor(color)).toBe(name);
    expect(nameColor([0.35, 0.3, 0.22])).toBeNull();
  });
});

describe('rasterization', () => {
  it('keeps the nearer triangle where two overlap, and draws both windings', () => {
    const seen = emptyVisibility(8, 8);
    const far = [0, 0, 0.1, 8, 0, 0.1, 0, 8, 0.1];
    const near = [0, 0, 0.5, 0, 4, 0.5, 4, 0, 0.5];
    const screen = Float32Array.from([...near, ...far]);
    drawTriangle(seen, screen, 0);
    drawTriangle(seen, screen, 1);
    expect(seen.triangle[0]).toBe(0);
    expect(seen.triangle[5]).toBe(1);
    expect(seen.triangle[63]).toBe(-1);
  });

  it('drops triangles that reach behind the camera', () => {
    const seen = emptyVisibility(4, 4);
    drawTriangle(seen, Float32Array.from([NaN, 0, 0, 4, 0, 1, 0, 4, 1]), 0);
    expect(seen.triangle.every((t) => t === -1)).toBe(true);
  });
});

function ballMesh() {
  const builder = new MeshBuilder();
  builder.ellipsoid([0, 0.5, 0], [0.5, 0.5, 0.5], builder.material([0.6, 0.05, 0.05]));
  return builder.build();
}

describe('camera', () => {
  it('frames an object at the asked size and place', () => {
    const mesh = ballMesh();
    const camera = frameMesh(mesh, {
      azimuth: 0,
      elevation: 0.3,
      fov: 0.6,
      fill: 0.6,
      centerX: 0.1,
      centerY: -0.1,
    });
    const screen = projectMesh(camera, mesh, 1);
    let left = 1;
    let right = 0;
    for (let i = 0; i < screen.length; i += 3) {
      left = Math.min(left, screen[i] ?? 1);
      right = Math.max(right, screen[i] ?? 0);
    }
    expect(right - left).toBeCloseTo(0.6, 1);
    expect((left + right) / 2).toBeCloseTo(0.55, 2);
  });
});

describe('light', () => {
  it('is brighter from above under a bright sky, and takes only part of its tint', () => {
    const light = gatherLight(
      (_yaw, pitch, out) => ([out[0], out[1], out[2]] = pitch > 0 ? [0.5, 0.8, 1] : [0.1, 0.1, 0.1]),
      {
        sunYaw: 0,
        sunPitch: 1,
        sunShare: 0.5,
        sunColor: [1, 1, 1],
        tint: 0,
        exposure: 1,
      },
    );
    const dc = light.ambient.subarray(0, 3);
    expect(dc[0]).toBeCloseTo(dc[2] ?? 0, 5);
    expect(light.ambient[3]).toBeGreaterThan(0);
  });
});

describe('photographs', () => {
  const scene = scenes.find((s) => s.key === 'background-white');

  it('show the object in its colour, with a shadow under it, on the backdrop', () => {
    const random = new Random(5);
    const mesh = ballMesh();
    const size = 48;
    const stage = scene?.make(random, new Map());
    if (!stage) throw new Error('no white background');
    const pose = { azimuth: 0, elevation: 0.3, fov: 0.6, fill: 0.5, centerX: 0, centerY: 0 };
    const pixels = photograph(mesh, stage, pose, random, size);
    const at = (x: number, y: number) =>
      [...pixels.subarray((y * size + x) * 3, (y * size + x) * 3 + 3)] as [number, number, number];
    const [r, g] = at(24, 24);
    expect(r).toBeGreaterThan(2 * g);
    const corner = at(2, 45)[0];
    expect(corner).toBeGreaterThan(200);
    const under = Math.min(
      ...Array.from(
        { length: 8 },
        (_, k) => at(24, 34 + k)[1] + (at(24, 34 + k)[0] > 2 * at(24, 34 + k)[1] ? 255 : 0),
      ),
    );
    expect(under).toBeLessThan(corner - 25);
  });

  it('are the same for the same seed and differ for another', () => {
    const make = (seed: number) => {
      const random = new Random(seed);
      const mesh = ballMesh();
      const stage = scene?.make(random, new Map());
      if (!stage) throw new Error('no white background');
      return photograph(mesh, stage, randomPose(mesh, random), random, 16);
    };
    expect(make(1)).toEqual(make(1));
    expect(make(1)).not.toEqual(make(2));
  });
});

describe('objects built by rule', () => {
  it('stand on the ground, one unit large, with sound normals', async () => {
    for (const subject of madeSubjects().filter((_, k) => k % 3 === 0)) {
      const { mesh } = await subject.load(new Random(mixSeed(3, subject.id)));
      let lowest = Infinity;
      for (let i = 1; i < mesh.positions.length; i += 3) lowest = Math.min(lowest, mesh.positions[i] ?? 0);
      expect(Math.abs(lowest), subject.id).toBeLessThan(1e-5);
      expect(mesh.normals.some(Number.isNaN), subject.id).toBe(false);
    }
  });
});
