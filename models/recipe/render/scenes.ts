import {
  bricks,
  kitchenTiles,
  lerp,
  shelves,
  sky,
  skyline,
  spots,
  sweep,
  wall,
  wallDistance,
} from './backdrops.ts';
import { withArticle } from './article.ts';
import { namedColors, srgb } from './colors.ts';
import type { ColorName, Rgb } from './colors.ts';
import { cloth, grounds } from './grounds.ts';
import { noise } from './noise.ts';
import { neutral, paintedScene, panoramaScene } from './stage.ts';
import type { Scene } from './stage.ts';

const warm: Rgb = [1.12, 1, 0.82];

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
