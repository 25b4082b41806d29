import { describe, expect, it } from 'vitest';
import { dayEnd, dayStart, toDay } from '../../../src-renderer/features/gallery/days.ts';
import { share } from '../../../src-renderer/state/jobShare.ts';
import { phaseOf } from '../../../src-renderer/ui/jobPhase.ts';
import { texts } from '../../../src-renderer/texts/index.ts';
import { formatBytes, formatDuration } from '../../../src-renderer/ui/format.ts';

describe('durations and sizes', () => {
  it.each([
    [0.2, '1 s'],
    [89, '89 s'],
    [90, '2 min'],
    [5369, '89 min'],
    [5370, '1 h 30 min'],
    [5400, '1 h 30 min'],
    [7200, '2 h'],
    [7 * 3600 + 1500, '7½ h'],
    [30 * 3600, '30 h'],
    [60 * 3600 + 51 * 60, '2½ days'],
    [24 * 86_400, '24 days'],
  ])('%d seconds are %s', (seconds, words) => {
    expect(formatDuration(seconds)).toBe(words);
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [12_300_000, '12 MB'],
    [4e15, '4000 TB'],
  ])('%d bytes are %s', (bytes, words) => {
    expect(formatBytes(bytes)).toBe(words);
  });
});

describe('a day of the gallery’s filter', () => {
  it('begins at midnight, ends before the next and is shown as it was typed', () => {
    const [start, end] = [dayStart('2026-11-23') ?? NaN, dayEnd('2026-11-23') ?? NaN];
    expect(end + 1).toBe(dayStart('2026-11-24'));
    expect([toDay(start), toDay(end)]).toEqual(['2026-11-23', '2026-11-23']);
    expect([dayStart(''), toDay(undefined)]).toEqual([undefined, '']);
  });
});

describe('the share of a job', () => {
  const soFar = { label: 'steps', eta: null, memory: null };
  it('is that of the whole job, whatever one phase has done', () => {
    expect(share(undefined)).toBeUndefined();
    expect(share({ progress: null })).toBeUndefined();
    expect(share({ progress: { done: 4, total: 4, share: null, ...soFar } })).toBeUndefined();
    expect(share({ progress: { done: 4, total: 4, share: 0.2, ...soFar } })).toBe(0.2);
  });
  it.each([
    ['Drawing class pictures: 13 of 50', { label: 'class pictures', done: 12.4, total: 50 }],
    ['Learning: 240 of 240', { label: 'steps', done: 240, total: 240 }],
    ['Building the network', { label: 'building the network', done: 0, total: 1 }],
    ['1.2 GB of 2.7 GB', { label: 'bytes', done: 1.2e9, total: 2.7e9 }],
    ['reading captions: 2 of 9', { label: 'reading captions', done: 1, total: 9 }],
  ])('“%s” is what it does', (words, progress) => {
    expect(phaseOf({ progress: { ...soFar, share: null, ...progress } })).toBe(words);
  });
});

/** Every text, functions left out, with the keys that lead to it. */
function plainTexts(of: unknown, place = ''): [place: string, text: string][] {
  if (typeof of === 'string') return [[place, of]];
  if (typeof of !== 'object' || of === null) return [];
  return Object.entries(of).flatMap(([key, value]) => plainTexts(value, `${place}.${key}`));
}

describe('the texts', () => {
  it('have no empty one, no stray space and no space before an ellipsis', () => {
    const wrong = plainTexts(texts).filter(
      ([, text]) => text.trim() === '' || /\s{2}| …$| %/.test(text) || text !== text.trimEnd(),
    );
    expect(wrong).toEqual([[`.settings.chooseFolder`, 'Choose ']]);
  });

  it.each([
    [texts.photos.added(1, 2), '1 photo was added. 2 were already here.'],
    [texts.photos.added(0, 1), '1 was already here.'],
    [texts.shell.jobs(0), 'Jobs'],
    [texts.shell.jobs(2), 'Jobs (2 open)'],
    [texts.generate.untilAlike(4, 0.73), 'Draw until 4 have this likeness (73%)'],
    [texts.gallery.pixels(128, 128, 416), '128 × 128 pixels, shown at 416%'],
    [texts.scores.percent(0.5), '50%'],
    [texts.masks.marked(13), '13% of the photo is the subject; training learns less from the rest.'],
  ])('say “%s”', (text, expected) => {
    expect(text).toBe(expected);
  });
});
