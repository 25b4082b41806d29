import { describe, expect, it } from 'vitest';
import {
  kneeOf,
  pickCheckpoint,
  reach,
  whyPicked,
  type Candidate,
} from '../../../src-main/engine/evaluation/pick.ts';

const scored = (step: number, fidelity: number, editability: number, share = 0) => {
  const found = reach({ value: fidelity, none: 0, all: 1 }, { value: editability, none: 0, all: 1 }, share);
  return {
    ...{ step, reach: found, memorization: { share, threshold: 0.9, copies: [] } },
    // Every picture says the same: no chance is in it.
    balanceOf: () => found.balance,
  };
};
const cells = Array.from({ length: 20 }, (_, i) => [i]);
const pickOf = (candidates: readonly Candidate[]): number => pickCheckpoint(candidates, cells);
const by = { editabilityBy: 'variety' };

describe('reach', () => {
  it('is the share of the way from nothing to all, and their harmonic mean', () => {
    const found = reach({ value: 0.7, none: 0.5, all: 0.9 }, { value: 0.3, none: 0.1, all: 0.3 });
    expect(found.fidelity).toBeCloseTo(0.5, 6);
    expect(found.editability).toBeCloseTo(1, 6);
    expect(found.balance).toBeCloseTo(2 / 3, 6);
  });

  it('counts no copies as having followed a prompt, and takes no tiny way for a measure', () => {
    const unit = { none: 0, all: 1 };
    expect(reach({ value: 1, ...unit }, { value: 1, ...unit }, 0.25).editability).toBeCloseTo(0.75, 6);
    expect(reach({ value: 0.61, none: 0.6, all: 0.601 }, { value: 1, ...unit }).fidelity).toBeCloseTo(0.5, 6);
  });

  it('has no balance where one of both is nothing', () => {
    expect(reach({ value: 0.4, none: 0.5, all: 0.9 }, { value: 1, none: 0, all: 1 }).balance).toBeLessThan(0);
  });
});

describe('the pick', () => {
  const course = [
    scored(100, 0.2, 0.95),
    scored(200, 0.7, 0.9),
    scored(300, 0.8, 0.5),
    scored(400, 0.82, 0.2),
  ];

  it('is where both are high, and the curve bends there', () => {
    expect(pickOf(course)).toBe(200);
    expect(kneeOf(course)).toBe(200);
    expect(whyPicked(course, 200, by)).toMatch(/^Step 200 .*70%.*90%.*later checkpoints.*\.$/);
  });

  it('takes copies for pictures that followed no prompt', () => {
    const copying = course.map((one) => (one.step === 200 ? scored(200, 0.7, 0.9, 0.6) : one));
    expect(pickOf(copying)).toBe(300);
    // A few are borne: a prompt may ask for the place of a photo.
    const few = course.map((one) => (one.step === 200 ? scored(200, 0.7, 0.9, 3 / 20) : one));
    expect(pickOf(few)).toBe(200);
    expect(whyPicked(few, 200, by)).toContain('15% of its pictures copy a photo');
  });

  it('is the last of those that chance cannot tell apart, and says so', () => {
    /** Pictures that are as good as `level` in the mean, and differ by `spread`. */
    const wobbling = (step: number, level: number, spread: number): Candidate => ({
      ...scored(step, level, level),
      balanceOf: (chosen) =>
        chosen.reduce((sum, i) => sum + level + spread * Math.sin(i * step), 0) / chosen.length,
    });
    const close = [wobbling(100, 0.3, 0.2), wobbling(200, 0.62, 0.2), wobbling(300, 0.6, 0.2)];
    expect(pickOf(close)).toBe(300);
    expect(whyPicked(close, 300, by)).toContain(
      'step 200 has the better balance, but by no more than chance',
    );
    expect(pickOf([...close.slice(0, 2), wobbling(300, 0.6, 0)])).toBe(300);
    expect(pickOf(close.map(({ step, reach: { fidelity } }) => wobbling(step, fidelity, 0.01)))).toBe(200);
    // Nor is an earlier one taken that is as good.
    expect(pickOf([wobbling(100, 0.6, 0.2), wobbling(200, 0.62, 0.2)])).toBe(200);
  });

  it('is the last of equals, and one checkpoint is enough', () => {
    expect(pickOf([scored(1, 0.5, 0.5), scored(2, 0.5, 0.5)])).toBe(2);
    expect(kneeOf([scored(7, 0.5, 0.5)])).toBe(7);
    expect(whyPicked([scored(7, 0.5, 0.5)], 7, by)).toContain('only checkpoint');
  });

  it('says when nothing was learnt', () => {
    expect(whyPicked([scored(1, -0.1, 0.9), scored(2, -0.2, 0.9)], 1, by)).toContain(
      'no more like the photos',
    );
  });

  it('says when the run could go on', () => {
    const rising = [scored(100, 0.2, 0.9), scored(200, 0.5, 0.9)];
    expect(whyPicked(rising, 200, by)).toContain('more steps may still help');
  });
});
