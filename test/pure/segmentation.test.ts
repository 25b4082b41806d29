import { describe, expect, it } from 'vitest';
import { GridCut } from '../../src-shared/segmentation/gridCut.ts';
import { findSubjects } from '../../src-shared/segmentation/findSubjects.ts';
import { snapToEdge } from '../../src-shared/segmentation/snapToEdge.ts';
import { TorchGenerator } from '../../src-main/engine/tensor/random.ts';

/** The least cut by trying every one. */
function leastCost(
  width: number,
  height: number,
  terminals: number[][],
  joins: [number, number, number][],
): number {
  let least = Infinity;
  for (let sides = 0; sides < 2 ** (width * height); sides++) {
    const isSource = (pixel: number): boolean => ((sides >> pixel) & 1) === 1;
    let cost = 0;
    for (const [pixel, [toSource = 0, toSink = 0]] of terminals.entries())
      cost += isSource(pixel) ? toSink : toSource;
    for (const [a, b, weight] of joins) if (isSource(a) !== isSource(b)) cost += weight;
    least = Math.min(least, cost);
  }
  return least;
}

it('the cut of a grid costs as little as the best of all cuts', () => {
  const [width, height] = [4, 3];
  for (let seed = 0; seed < 40; seed++) {
    const generator = new TorchGenerator(seed);
    const whole = (most: number): number => Math.floor((generator.rand([1])[0] as number) * most);
    const cut = new GridCut(width, height);
    const terminals = Array.from({ length: width * height }, () => [whole(20), whole(20)]);
    const joins: [number, number, number][] = [];
    terminals.forEach(([toSource = 0, toSink = 0], pixel) => cut.setTerminals(pixel, toSource, toSink));
    for (const [direction, dx, dy] of [
      [0, 1, 0],
      [2, 0, 1],
      [4, 1, 1],
      [6, 1, -1],
    ] as const)
      for (let pixel = 0; pixel < width * height; pixel++) {
        const [x, y] = [(pixel % width) + dx, Math.floor(pixel / width) + dy];
        if (x >= width || y < 0 || y >= height) continue;
        const weight = whole(12);
        cut.join(pixel, direction, weight);
        joins.push([pixel, y * width + x, weight]);
      }
    const sides = cut.solve();
    let cost = 0;
    for (const [pixel, [toSource = 0, toSink = 0]] of terminals.entries())
      cost += sides[pixel] ? toSink : toSource;
    for (const [a, b, weight] of joins) if (sides[a] !== sides[b]) cost += weight;
    expect(cost, `seed ${seed}`).toBe(leastCost(width, height, terminals, joins));
  }
});

/** A blob with a pattern of its own on a ground of several colours; 1 where the blob is. */
function scene(width: number, height: number): { data: Uint8Array; truth: Uint8Array } {
  const noise = new TorchGenerator(3).randn([width * height * 3]);
  const truth = new Uint8Array(width * height);
  const data = new Uint8Array(3 * width * height);
  for (let at = 0; at < width * height; at++) {
    const [x, y] = [at % width, Math.floor(at / width)];
    const angle = Math.atan2(y - 0.52 * height, x - 0.48 * width);
    const radius = Math.hypot(x - 0.48 * width, y - 0.52 * height);
    const isSubject = radius < (0.26 + 0.05 * Math.sin(5 * angle)) * Math.min(width, height);
    truth[at] = isSubject ? 1 : 0;
    const ground = (Math.floor(x / 40) + Math.floor(y / 40)) % 2 ? [70, 120, 60] : [150, 160, 190];
    const own = Math.floor((x + y) / 9) % 2 ? [190, 120, 60] : [215, 170, 120];
    for (let channel = 0; channel < 3; channel++) {
      const value = (isSubject ? own : ground)[channel] as number;
      data[3 * at + channel] = Math.max(
        0,
        Math.min(255, Math.round(value + 12 * (noise[3 * at + channel] as number))),
      );
    }
  }
  return { data, truth };
}

function overlap(found: Uint8Array, truth: Uint8Array): number {
  let [both, either] = [0, 0];
  found.forEach((value, at) => {
    const [a, b] = [value >= 128, truth[at] === 1];
    if (a && b) both++;
    if (a || b) either++;
  });
  return both / either;
}

it.each([
  [240, 180],
  [900, 640],
])('an ellipse and strokes snap to the edge of a subject, %i × %i', (width, height) => {
  const { data, truth } = scene(width, height);
  const mark = (isIn: (x: number, y: number) => boolean): Uint8Array =>
    Uint8Array.from({ length: width * height }, (_, at) =>
      isIn(at % width, Math.floor(at / width)) ? 255 : 0,
    );
  const side = Math.min(width, height);
  const [cx, cy] = [0.48 * width, 0.52 * height];
  const ellipse = mark((x, y) => ((x - cx) / (0.4 * side)) ** 2 + ((y - cy) / (0.38 * side)) ** 2 <= 1);
  expect(overlap(ellipse, truth)).toBeLessThan(0.6);
  expect(overlap(snapToEdge({ width, height, data }, ellipse), truth)).toBeGreaterThan(0.9);

  const strokes = mark(
    (x, y) =>
      (Math.abs(y - cy) < 0.02 * side && Math.abs(x - cx) < 0.17 * side) ||
      (Math.abs(x - cx) < 0.02 * side && Math.abs(y - cy) < 0.17 * side),
  );
  expect(overlap(snapToEdge({ width, height, data }, strokes), truth)).toBeGreaterThan(0.93);
});

it('nothing marked stays nothing, and a picture of one colour keeps what was marked to its own', () => {
  const [width, height] = [40, 30];
  const blank = new Uint8Array(width * height);
  const grey = new Uint8Array(3 * width * height).fill(120);
  expect(snapToEdge({ width, height, data: grey }, blank)).toEqual(blank);
  const marked = blank.map((_, at) =>
    Math.hypot((at % width) - 20, Math.floor(at / width) - 15) < 9 ? 255 : 0,
  );
  const found = snapToEdge({ width, height, data: grey }, marked);
  found.forEach((value, at) => {
    if (value > 0) expect(marked[at]).toBe(255);
  });
});

describe('with nothing marked', () => {
  type Colour = readonly [number, number, number];
  const [side, red, white] = [72, [190, 40, 50], [235, 235, 230]] as const;
  const noise = new TorchGenerator(9).randn([3 * side * side]);
  const square = (left: number, top: number, size: number) => (x: number, y: number) =>
    x >= left && x < left + size && y >= top && y < top + size;

  /** A red thing, and whatever else there is, on a ground that differs from photo to photo. */
  function photo(
    ground: Colour,
    thing: ReturnType<typeof square>,
    others: readonly (readonly [ReturnType<typeof square>, Colour])[] = [],
  ) {
    const truth = Uint8Array.from({ length: side * side }, (_, at) =>
      thing(at % side, Math.floor(at / side)) ? 255 : 0,
    );
    const data = Uint8Array.from({ length: 3 * side * side }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % side, Math.floor(i / 3 / side)];
      const other = others.find(([isIn]) => isIn(x, y))?.[1];
      const colour = thing(x, y) ? red : (other ?? ground);
      return Math.round((colour[i % 3] as number) + 6 * (noise[i] as number));
    });
    return { rgb: { width: side, height: side, data }, truth };
  }

  /** Intersection over union. */
  function overlap(found: Uint8Array | undefined, truth: Uint8Array): number {
    let [both, either] = [0, 0];
    truth.forEach((value, at) => {
      const isFound = found?.[at] === 255;
      if (isFound && value) both++;
      if (isFound || value) either++;
    });
    return both / either;
  }

  // In the third, the photo's middle is a window that reaches to its rim.
  const set = [
    photo(white, square(22, 20, 28)),
    photo([90, 140, 80], square(36, 30, 26)),
    photo([50, 50, 55], square(10, 24, 20), [[square(31, 14, 41), white]]),
  ];

  it('a subject off the middle is found by what all photos have in common', () => {
    const found = findSubjects(set.map(({ rgb }) => rgb));
    set.forEach(({ truth }, i) => expect(overlap(found[i], truth), `photo ${i}`).toBeGreaterThan(0.9));
  });

  it('what has the subject’s colours in one photo only, and looks like no subject, is none of it', () => {
    const beside = photo([50, 50, 55], square(10, 12, 20), [[square(40, 36, 18), [200, 60, 40]]]);
    const three = [...set.slice(0, 2), beside];
    const photos = three.map(({ rgb }) => rgb);
    expect(overlap(findSubjects(photos)[2], beside.truth)).toBeLessThan(0.7);
    // One channel tells the subject; the others are what photos differ by.
    const cells = 16;
    const looks = three.map(({ truth }, i) => ({
      ...{ side: cells, channels: 3 },
      data: Float32Array.from({ length: 3 * cells * cells }, (_, at) => {
        const [x, y, channel] = [Math.floor(at / 3) % cells, Math.floor(at / 3 / cells), at % 3];
        const middle = Math.floor(((y + 0.5) * side) / cells) * side + Math.floor(((x + 0.5) * side) / cells);
        return channel === 0 ? (truth[middle] as number) : Math.sin((i + 1) * x + channel * y);
      }),
    }));
    findSubjects(photos, looks).forEach((found, i) =>
      expect(overlap(found, three[i]?.truth as Uint8Array), `photo ${i}`).toBeGreaterThan(0.9),
    );
  });

  it('one photo will do where nothing else stands out, and its holes are filled', () => {
    const mouth = photo([60, 90, 140], square(22, 20, 28), []);
    for (const [x, y] of [
      [34, 32],
      [35, 32],
      [34, 33],
      [35, 33],
    ] as const)
      mouth.rgb.data.set([60, 90, 140], 3 * (y * side + x));
    expect(overlap(findSubjects([mouth.rgb])[0], mouth.truth)).toBeGreaterThan(0.9);
  });

  it('a photo of one colour has no subject', () => {
    const data = new Uint8Array(3 * side * side).fill(120);
    const [found = new Uint8Array([1])] = findSubjects([{ width: side, height: side, data }]);
    const share = found.filter((value) => value > 0).length / found.length;
    expect(share < 0.03 || share > 0.85).toBe(true);
  });
});
