import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import type { Features } from '../../../src-main/engine/evaluation/features.ts';
import type { Picture } from '../../../src-main/engine/pictures/pixels.ts';
import { Gallery } from '../../../models/recipe/sweep/gallery.ts';
import { asTable, picksAgainstFixed, quality, type Result } from '../../../models/recipe/sweep/results.ts';
import { photographedSubjects, photosOf } from '../../../models/recipe/sweep/subjects.ts';

const scratch = mkdtempSync(join(tmpdir(), 'likeness-sweep-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Mean colour as a direction. */
const colours: Features = {
  name: 'colour',
  pictures: (pictures) =>
    Promise.resolve(
      pictures.map(({ data }) => {
        const sums = [0, 1, 2].map((c) => data.reduce((sum, byte, i) => (i % 3 === c ? sum + byte : sum), 0));
        const length = Math.hypot(...sums);
        return Float32Array.from(sums, (sum) => sum / length);
      }),
    ),
  dispose: () => Promise.resolve(),
};

const plain = (r: number, g: number, b: number): Picture => ({
  width: 2,
  height: 2,
  data: Uint8Array.from({ length: 12 }, (_, i) => [r, g, b][i % 3] as number),
});

describe('the gallery', () => {
  it('says which subject a picture is most like', async () => {
    for (const [name, backgrounds] of [
      ['red_car', ['#ff0000', '#dd2222']],
      ['duck_toy', ['#ffff00', '#0000ff']],
    ] as const) {
      mkdirSync(join(scratch, name));
      for (const [i, background] of backgrounds.entries())
        await sharp({ create: { width: 40, height: 20, channels: 3, background } }).toFile(
          join(scratch, name, `${i}.png`),
        );
    }
    const subjects = photographedSubjects(scratch);
    expect(subjects.map(({ name, classNoun }) => [name, classNoun])).toEqual([
      ['duck_toy', 'toy'],
      ['red_car', 'car'],
    ]);
    const [toy] = await photosOf(subjects[0] as (typeof subjects)[number], 8);
    expect(toy).toMatchObject({ width: 8, height: 8 });
    const gallery = await Gallery.open(subjects, colours, 8);
    const found = await gallery.nearest([plain(250, 0, 0), plain(0, 10, 240)], 'red_car');
    expect(found.map(({ nearest }) => nearest)).toEqual(['red_car', 'duck_toy']);
    expect(found[0]?.own).toBeGreaterThan(0.98);
    expect(gallery.ceiling('red_car')).toBe(1);
    // Yellow has more of red than of its own subject in blue.
    expect(gallery.ceiling('duck_toy')).toBe(0.5);
  });
});

const result = (
  subject: string,
  outcomes: readonly [right: number, scene: number][],
  pick?: number,
): Result => ({
  ...{ model: 'abcdef01', guidance: 4, seeds: 2, drawSteps: 12, variant: 'one', subject, kind: 'render' },
  ceiling: 1,
  outcomes: outcomes.map(([right, scene], i) => ({
    ...{ step: 10 * (i + 1), right, scene, own: 0.5, cpuSeconds: 7 },
  })),
  ...(pick !== undefined && { pick }),
});

describe('results', () => {
  it('are good where subject and scene both are', () => {
    expect(quality({ right: 1, scene: 0 })).toBe(0);
    expect(quality({ right: 0, scene: 0 })).toBe(0);
    expect(quality({ right: 0.5, scene: 1 })).toBeCloseTo(2 / 3);
  });

  it('are put together by variant and step', () => {
    const lines = asTable([result('a', [[1, 0.5]]), result('b', [[0, 0.5]])]).split('\n');
    expect(lines.slice(2)).toEqual(['| abcdef | 4 + 0 | one | 10 | 2 | 50% | 0.50 | 50% | 0.33 | 7 |']);
  });

  it('tell how often the pick was at least as good as each fixed step', () => {
    const results = [
      result(
        'a',
        [
          [0.5, 1],
          [1, 1],
        ],
        20,
      ),
      result(
        'b',
        [
          [1, 1],
          [0.5, 1],
        ],
        20,
      ),
      result(
        'c',
        [
          [1, 1],
          [1, 1],
        ],
        10,
      ),
      result('no pick', [
        [1, 1],
        [0, 0],
      ]),
    ];
    expect(picksAgainstFixed(results)).toEqual([2 / 3, 1]);
    expect(picksAgainstFixed([])).toEqual([]);
  });
});
