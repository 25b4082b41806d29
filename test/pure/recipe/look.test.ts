import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { drawCards } from '../../../models/recipe/look/cards.ts';
import { tally } from '../../../models/recipe/look/tallied.ts';

const scratch = mkdtempSync(join(tmpdir(), 'likeness-look-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe('a blind test', () => {
  const key = [
    { number: '1', set: 'new', noun: 'dog', place: 'park' },
    { number: '2', set: 'old', noun: 'dog', place: 'snow' },
    { number: '3', set: 'new', noun: 'mug', place: 'snow' },
  ];

  it('is counted by set and column; what was left out is wrong', () => {
    const named = [
      { number: '3', noun: 'mug', place: 'beach' },
      { number: '1', noun: 'dog', place: 'park' },
    ];
    expect(tally(key, named)).toEqual([
      { set: 'new', column: 'noun', right: 2, of: 2 },
      { set: 'new', column: 'place', right: 1, of: 2 },
      { set: 'old', column: 'noun', right: 0, of: 1 },
      { set: 'old', column: 'place', right: 0, of: 1 },
    ]);
  });

  it('refuses an answer about a card that is not there', () => {
    expect(() => tally(key, [{ number: '4', noun: 'dog' }])).toThrow('no card 4');
  });

  it('shows every picture in its place, sheet by sheet', async () => {
    const png = (background: string): Promise<Buffer> =>
      sharp({ create: { width: 4, height: 4, channels: 3, background } })
        .png()
        .toBuffer();
    const [red, blue] = [await png('#ff0000'), await png('#0000ff')];
    await drawCards([[red], [blue], [red]], scratch, 2, 2);
    const { data, info } = await sharp(join(scratch, 'sheet-1.png'))
      .raw()
      .toBuffer({ resolveWithObject: true });
    const at = (x: number, y: number): number[] => [
      ...data.subarray((y * info.width + x) * 3).subarray(0, 3),
    ];
    expect([at(96, 120), at(296, 120)]).toEqual([
      [255, 0, 0],
      [0, 0, 255],
    ]);
    expect([2, 3].map((n) => existsSync(join(scratch, `sheet-${n}.png`)))).toEqual([true, false]);
  });
});
