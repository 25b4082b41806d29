import { withArticle } from './captions.ts';
import { namedColors, srgb } from './colors.ts';
import type { ColorName, Rgb } from './colors.ts';
import { cloth, grounds, plain } from './grounds.ts';
import type { Ground } from './grounds.ts';
import type { Radiance } from './light.ts';
import { cells, fractalNoise, noise } from './noise.ts';
import type { Cell } from './noise.ts';
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

const warm: Rgb = [1.12, 1, 0.82];
const neutral: Rgb = [1, 1, 1];

function lerp(out: number[], a: Rgb, b: Rgb, t: number): void {
  const k = Math.max(0, Math.min(1, t));
  for (const c of [0, 1, 2] as const) out[c] = a[c] + (b[c] - a[c]) * k;
}

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

function panoramaScene(
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

function paintedScene(key: string, weight: number, phrases: string[], paint: Painted): Scene {
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

/** Clear or cloudy sky from the horizon up. */
function sky(horizon: Rgb, zenith: Rgb, clouds: number) {
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
function skyline(
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
function spots(
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
const wallDistance = 3.2;

/** A wall behind: u to the right and v up from the ground, in camera heights. */
function wall(paintWall: (u: number, v: number, out: number[], seed: number) => void) {
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

function bricks(u: number, v: number, out: number[], seed: number): void {
  const row = Math.floor(v / 0.12);
  const x = u / 0.34 + (row & 1) * 0.5;
  const joint =
    Math.min(v / 0.12 - row, row + 1 - v / 0.12) < 0.08 ||
    Math.min(x - Math.floor(x), Math.floor(x) + 1 - x) < 0.03;
  if (joint) lerp(out, srgb(186, 176, 164), neutral, 0);
  else lerp(out, srgb(120, 50, 36), srgb(184, 92, 66), noise(Math.floor(x) * 3.7, row * 5.3, seed));
}

function kitchenTiles(u: number, v: number, out: number[], seed: number): void {
  const x = u / 0.22;
  const y = v / 0.22;
  const joint =
    Math.min(x - Math.floor(x), 1 - (x - Math.floor(x)), y - Math.floor(y), 1 - (y - Math.floor(y))) < 0.04;
  lerp(out, srgb(226, 230, 226), srgb(244, 244, 240), noise(Math.floor(x) * 3, Math.floor(y) * 7, seed));
  if (joint) lerp(out, srgb(176, 180, 178), neutral, 0);
}

function shelves(u: number, v: number, out: number[], seed: number): void {
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
function sweep(color: Rgb): { ground: (random: Random) => Ground; backdrop: (random: Random) => Radiance } {
  return {
    ground: () => plain(color),
    backdrop: (random) => {
      const fall = random.range(0, 0.35);
      return (_yaw, pitch, out) => lerp(out, color, color.map((c) => c * (1 - fall)) as Rgb, pitch / 0.6);
    },
  };
}

const clearSky = sky(srgb(196, 222, 242), srgb(70, 130, 205), 0.6);
const paleSky = sky(srgb(226, 232, 240), srgb(170, 192, 220), 0.3);

function colorScene(name: ColorName): Scene {
  const n = withArticle(name, name);
  const { ground, backdrop } = sweep(namedColors[name]);
  return paintedScene(
    `background-${name}`,
    name === 'white' ? 2.2 : 0.55,
    [`on ${n} background`, `in front of ${n} background`, `on ${name}`, `in front of ${n} wall`],
    {
      ground,
      backdrop,
      sunShare: [0.15, 0.6],
      tint: 0.25,
      blur: [0.02, 0.05],
    },
  );
}

function clothScene(name: ColorName): Scene {
  return paintedScene(
    `cloth-${name}`,
    0.3,
    [`on ${name} fabric`, `on top of ${name} fabric`, `on a ${name} blanket`, `on a ${name} rug`],
    {
      groundReach: wallDistance,
      ground: cloth(namedColors[name]),
      backdrop: wall((_u, v, out) => lerp(out, srgb(206, 198, 186), srgb(232, 226, 216), v / 2)),
      sunShare: [0.2, 0.6],
      blur: [0.02, 0.05],
    },
  );
}

export const scenes: Scene[] = [
  panoramaScene(
    'forest',
    'forest',
    2.4,
    ['in the forest', 'in a forest', 'in the woods', 'among the trees'],
    { level: 0.26, sunShare: 0.5, sunColor: warm },
  ),
  panoramaScene('park', 'park', 2, ['on the grass', 'in a park', 'in a meadow', 'on green grass'], {
    level: 0.3,
    sunShare: 0.55,
    sunColor: warm,
  }),
  panoramaScene(
    'city',
    'city',
    2.2,
    ['in the city', 'on a city street', 'with a city in the background', 'in a city'],
    { level: 0.34, sunShare: 0.2 },
  ),
  panoramaScene('venice', 'sunset', 1, ['in venice', 'on a town square', 'in front of a palace'], {
    level: 0.34,
    sunShare: 0.35,
    sunColor: warm,
  }),
  panoramaScene('harbor', 'venice', 1, ['at the harbor', 'at the waterfront', 'by the sea at dawn'], {
    level: 0.3,
    sunShare: 0.2,
    tint: 0.4,
  }),
  panoramaScene('dusk', 'dawn', 1.1, ['at dusk', 'in the mountains at dusk', 'under a purple sky'], {
    level: 0.28,
    sunShare: 0.35,
    sunColor: [1.1, 0.95, 0.95],
    tint: 0.35,
  }),
  panoramaScene('sunrise', 'sunrise', 1.3, ['at sunrise', 'in a field at sunrise', 'in the morning sun'], {
    level: 0.3,
    sunShare: 0.6,
    sunColor: [1.25, 1, 0.7],
  }),
  panoramaScene('night', 'night', 1.3, ['at night', 'in a field at night', 'in the dark'], {
    level: 0.1,
    sunShare: 0.5,
    sunColor: [0.85, 0.92, 1.1],
    exposure: 0.55,
    gain: [0.45, 0.65, 1.3],
    tint: 0.3,
  }),
  panoramaScene('sky', 'sky', 1.1, ['in the sky', 'in the clouds', 'flying in the sky', 'above the clouds'], {
    level: 0.4,
    sunShare: 0.5,
    floating: true,
  }),
  panoramaScene('room', 'apartment', 1.8, ['in a room', 'at home', 'in an apartment', 'in a living room'], {
    level: 0.38,
    sunShare: 0.3,
    tint: 0.35,
  }),
  panoramaScene('mall', 'esplanade', 0.8, ['in a shopping mall', 'in a mall'], {
    level: 0.3,
    sunShare: 0.25,
  }),
  panoramaScene('hall', 'hall', 0.7, ['in a hall', 'in a ballroom', 'in a large hall'], {
    level: 0.32,
    sunShare: 0.25,
  }),
  panoramaScene('lab', 'lab', 0.8, ['in a laboratory', 'in a lab'], {
    level: 0.26,
    sunShare: 0.25,
    tint: 0.25,
  }),
  panoramaScene('lobby', 'lobby', 0.8, ['in a lobby', 'in a waiting room'], {
    level: 0.34,
    sunShare: 0.25,
    tint: 0.3,
  }),
  panoramaScene('warehouse', 'warehouse', 1, ['in a warehouse', 'in an empty warehouse'], {
    level: 0.26,
    sunShare: 0.25,
  }),
  panoramaScene('workshop', 'workshop', 0.9, ['in a factory', 'in a workshop'], {
    level: 0.3,
    sunShare: 0.25,
    tint: 0.3,
  }),

  paintedScene('beach', 2.4, ['on the beach', 'on a beach', 'at the beach', 'on the sand by the sea'], {
    ground: (random) => {
      const sand = grounds.sand(random);
      const shore = random.range(3.2, 5);
      const seed = random.int(1 << 20);
      return (x, z, out) => {
        const edge = -z - shore + 0.5 * noise(x * 0.7, z * 0.2, seed);
        if (edge < 0) sand(x, z, out);
        else if (edge < 0.35 + 0.3 * noise(x, 0, seed)) lerp(out, srgb(240, 248, 250), neutral, 0);
        else
          lerp(
            out,
            srgb(70, 184, 190),
            srgb(24, 100, 160),
            edge / 14 + 0.35 * (noise(x * 0.6, z * 2, seed) - 0.5),
          );
      };
    },
    backdrop: clearSky,
    sunShare: [0.5, 0.65],
    sunColor: warm,
    exposure: [0.9, 1.08],
  }),
  paintedScene('snow', 2.4, ['in the snow', 'on snow', 'in a snowy field', 'in winter'], {
    ground: grounds.snow,
    backdrop: skyline(paleSky, [
      { color: srgb(170, 184, 202), base: 0.04, height: 0.16, rough: 3 },
      { color: srgb(60, 84, 88), base: 0.0, height: 0.34, rough: 13, caps: srgb(232, 238, 246) },
    ]),
    blur: [0.003, 0.016],
    sunShare: [0.15, 0.5],
    sunColor: [1.02, 1, 0.98],
    exposure: [0.85, 1],
  }),
  paintedScene('desert', 1.4, ['in the desert', 'in a desert', 'on sand dunes'], {
    ground: grounds.desertSand,
    backdrop: skyline(sky(srgb(238, 218, 184), srgb(92, 146, 205), 0), [
      { color: srgb(214, 150, 92), base: 0.01, height: 0.16, rough: 2 },
    ]),
    sunShare: [0.55, 0.7],
    sunColor: warm,
  }),
  paintedScene(
    'mountains',
    1.6,
    ['in the mountains', 'with mountains in the background', 'in front of a mountain'],
    {
      ground: grounds.grass,
      backdrop: skyline(clearSky, [
        { color: srgb(112, 122, 148), base: 0.0, height: 0.6, rough: 3.2, caps: srgb(244, 247, 252) },
        { color: srgb(62, 92, 66), base: -0.01, height: 0.13, rough: 5 },
      ]),
      sunShare: [0.4, 0.6],
      blur: [0.004, 0.016],
    },
  ),
  paintedScene('jungle', 1.3, ['in the jungle', 'in a jungle', 'among green leaves'], {
    ground: grounds.grass,
    backdrop: spots(
      [srgb(14, 48, 18), srgb(66, 122, 40)],
      [srgb(26, 84, 30), srgb(120, 178, 62), srgb(52, 120, 44), srgb(208, 232, 150)],
      0.13,
      0.75,
    ),
    sunShare: [0.2, 0.5],
    blur: [0.012, 0.035],
  }),
  paintedScene('autumn', 1.5, ['in autumn leaves', 'on autumn leaves', 'in autumn', 'in the fall'], {
    ground: grounds.leaves,
    backdrop: spots(
      [srgb(120, 66, 28), srgb(206, 140, 52)],
      [srgb(232, 130, 30), srgb(246, 196, 74), srgb(184, 70, 30), srgb(255, 232, 180)],
      0.12,
      0.7,
    ),
    sunShare: [0.3, 0.55],
    sunColor: warm,
    blur: [0.015, 0.04],
  }),
  paintedScene(
    'flowers',
    1.4,
    ['in a flower field', 'among flowers', 'in a garden', 'surrounded by flowers'],
    {
      ground: grounds.flowers,
      backdrop: skyline(clearSky, [{ color: srgb(54, 110, 46), base: 0.03, height: 0.14, rough: 6 }]),
      sunShare: [0.4, 0.6],
      sunColor: warm,
    },
  ),
  paintedScene(
    'wheat',
    1,
    ['in a wheat field', 'with a wheat field in the background', 'in a golden field'],
    {
      ground: grounds.wheat,
      backdrop: skyline(clearSky, [{ color: srgb(206, 166, 80), base: 0.05, height: 0.03, rough: 30 }]),
      sunShare: [0.4, 0.6],
      sunColor: warm,
    },
  ),
  paintedScene('water', 1.4, ['on the water', 'floating on water', 'in the sea', 'in the water'], {
    ground: grounds.water,
    backdrop: skyline(clearSky, [{ color: srgb(86, 122, 142), base: 0.0, height: 0.07, rough: 2 }]),
    sunShare: [0.4, 0.6],
  }),
  paintedScene('moon', 1.1, ['on the moon', 'in space', 'on the surface of the moon'], {
    ground: grounds.moonDust,
    backdrop: spots(
      [srgb(3, 3, 6), srgb(8, 8, 14)],
      [srgb(255, 255, 255), srgb(160, 170, 220), srgb(90, 90, 110)],
      0.045,
      0.12,
    ),
    sunShare: [0.65, 0.8],
    blur: [0, 0.004],
    tint: 0.2,
  }),
  paintedScene(
    'bokeh',
    1.2,
    ['in front of city lights', 'with city lights in the background', 'in the city at night'],
    {
      ground: grounds.asphalt,
      backdrop: spots(
        [srgb(8, 10, 24), srgb(26, 28, 56)],
        [srgb(255, 190, 90), srgb(255, 110, 80), srgb(120, 180, 255), srgb(255, 240, 200)],
        0.13,
        0.34,
      ),
      sunShare: [0.3, 0.55],
      sunColor: warm,
      exposure: [0.65, 0.85],
      blur: [0.014, 0.025],
      tint: 0.2,
    },
  ),
  paintedScene('cobbles', 1.3, ['on a cobblestone street', 'on cobblestones', 'on a stone road'], {
    groundReach: wallDistance,
    ground: grounds.cobbles,
    backdrop: wall((u, v, out, seed) =>
      lerp(
        out,
        srgb(208, 184, 146),
        srgb(158, 126, 98),
        (Math.floor(u * 0.6) & 1) * 0.6 + 0.4 * noise(u * 2, v * 2, seed),
      ),
    ),
    sunShare: [0.3, 0.6],
  }),
  paintedScene(
    'bricks',
    1.4,
    ['in front of a brick wall', 'by a brick wall', 'with a brick wall in the background'],
    {
      groundReach: wallDistance,
      ground: grounds.concrete,
      backdrop: wall(bricks),
      sunShare: [0.2, 0.55],
      blur: [0.002, 0.012],
    },
  ),
  paintedScene('road', 1.1, ['on the road', 'on a street', 'on asphalt'], {
    ground: (random) => {
      const base = grounds.asphalt(random);
      const line = random.range(-1.5, 1.5);
      return (x, z, out) => {
        base(x, z, out);
        if (Math.abs(x - line) < 0.09) lerp(out, srgb(236, 232, 216), neutral, 0);
      };
    },
    backdrop: skyline(clearSky, [{ color: srgb(80, 112, 72), base: 0.02, height: 0.12, rough: 5 }]),
    sunShare: [0.4, 0.6],
  }),
  paintedScene('dirt', 0.9, ['on a dirt road', 'on the ground', 'on dry earth'], {
    ground: grounds.dirt,
    backdrop: skyline(clearSky, [{ color: srgb(96, 120, 70), base: 0.02, height: 0.13, rough: 6 }]),
    sunShare: [0.4, 0.6],
    sunColor: warm,
  }),
  paintedScene(
    'wood-floor',
    1.7,
    ['on a wooden floor', 'on top of a wooden floor', 'on the floor', 'on a parquet floor'],
    {
      groundReach: wallDistance,
      ground: grounds.oak,
      backdrop: wall((_u, v, out) =>
        v < 0.12
          ? lerp(out, srgb(244, 242, 238), neutral, 0)
          : lerp(out, srgb(214, 206, 192), srgb(228, 222, 210), v / 2),
      ),
      sunShare: [0.2, 0.5],
      blur: [0.004, 0.02],
    },
  ),
  paintedScene('table', 1.7, ['on a table', 'on a wooden table', 'on a desk'], {
    ground: grounds.darkWood,
    backdrop: spots(
      [srgb(120, 104, 92), srgb(196, 178, 158)],
      [srgb(240, 220, 190), srgb(90, 74, 66)],
      0.3,
      0.35,
    ),
    sunShare: [0.2, 0.5],
    blur: [0.03, 0.06],
  }),
  paintedScene('kitchen', 1.3, ['in a kitchen', 'in the kitchen', 'on a kitchen counter'], {
    groundReach: wallDistance,
    ground: grounds.marble,
    backdrop: wall((u, v, out, seed) =>
      v < 1.3
        ? kitchenTiles(u, v, out, seed)
        : lerp(out, srgb(168, 118, 72), srgb(132, 88, 50), Math.floor(u) & 1),
    ),
    sunShare: [0.15, 0.45],
    blur: [0.004, 0.02],
  }),
  paintedScene('library', 1.2, ['in a library', 'in front of a bookshelf', 'with books in the background'], {
    groundReach: wallDistance,
    ground: grounds.darkWood,
    backdrop: wall(shelves),
    sunShare: [0.15, 0.45],
    sunColor: warm,
    blur: [0.006, 0.02],
  }),
  paintedScene('checkered', 0.8, ['on a checkered floor', 'on a tiled floor', 'on black and white tiles'], {
    groundReach: wallDistance,
    ground: grounds.checkered,
    backdrop: wall((_u, v, out) => lerp(out, srgb(196, 204, 208), srgb(222, 226, 228), v / 2)),
    sunShare: [0.2, 0.5],
    blur: [0.004, 0.02],
  }),
  ...(
    [
      'red',
      'orange',
      'yellow',
      'green',
      'turquoise',
      'blue',
      'purple',
      'pink',
      'brown',
      'black',
      'white',
      'gray',
    ] as const
  ).map(colorScene),
  ...(['red', 'yellow', 'green', 'blue', 'purple', 'pink', 'white'] as const).map(clothScene),
];
