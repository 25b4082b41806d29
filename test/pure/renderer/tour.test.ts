import { describe, expect, it } from 'vitest';
import { isOver, stageOf } from '../../../src-renderer/features/tour/stage.ts';

const done = { state: 'done', checkpoints: 4 } as const;

describe('the tour', () => {
  it.each([
    ['photos', undefined, false, false],
    ['train', undefined, true, false],
    ['wait', { state: 'paused', checkpoints: 1 }, true, false],
    ['train', { state: 'failed', checkpoints: 0 }, true, false],
    ['generate', done, true, false],
    ['end', done, false, true],
  ] as const)('is at %s', (stage, run, training, hasPictures) => {
    expect(stageOf(run, { training, hasPictures })).toBe(stage);
  });

  it('is over once somebody at its end has added a subject of their own', () => {
    const sample = { sample: true, createdAt: 20 };
    const own = { sample: false, createdAt: 30 };
    expect(isOver('end', [sample], 10)).toBe(false);
    expect(isOver('end', [sample, own], 10)).toBe(true);
    expect(isOver('generate', [sample, own], 10)).toBe(false);
    // A tour that is taken again is not over because of older subjects.
    expect(isOver('end', [sample, own], 40)).toBe(false);
  });
});
