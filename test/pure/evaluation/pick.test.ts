import { describe, expect, it } from 'vitest';
import { kneeOf, pickCheckpoint, reach, whyPicked } from '../../../src-main/engine/evaluation/pick.ts';

const scored = (step: number, fidelity: number, editability: number, share = 0) => ({
  step,
  reach: reach({ value: fidelity, none: 0, all: 1 }, { value: editability, none: 0, all: 1 }),
  memorization: { share, threshold: 0.9, copies: [] },
});
const by = { editabilityBy: 'variety' };

describe('reach', () => {
  it('is the share of the way from nothing to all, and their harmonic mean', () => {
    const found = reach({ value: 0.7, none: 0.5, all: 0.9 }, { value: 0.3, none: 0.1, all: 0.3 });
    expect(found.fidelity).toBeCloseTo(0.5, 6);
    expect(found.editability).toBeCloseTo(1, 6);
    expect(found.balance).toBeCloseTo(2 / 3, 6);
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
    expect(pickCheckpoint(course)).toBe(200);
    expect(kneeOf(course)).toBe(200);
    expect(whyPicked(course, 200, by)).toMatch(/^Step 200 .*70 %.*90 %.*later checkpoints.*\.$/);
  });

  it('passes over a checkpoint that copies photos, and says so', () => {
    const copying = course.map((one) => (one.step === 200 ? scored(200, 0.7, 0.9, 0.3) : one));
    expect(pickCheckpoint(copying)).toBe(300);
    expect(whyPicked(copying, 300, by)).toContain('30 % of its pictures copy a photo');
  });

  it('bears a few: a prompt may ask for the place of a photo', () => {
    const copying = course.map((one) => (one.step === 200 ? scored(200, 0.7, 0.9, 2 / 29) : one));
    expect(pickCheckpoint(copying)).toBe(200);
  });

  it('is made all the same where every checkpoint copies', () => {
    const copying = course.map(({ step, reach: { fidelity, editability } }) =>
      scored(step, fidelity, editability, 0.5),
    );
    expect(pickCheckpoint(copying)).toBe(200);
    expect(whyPicked(copying, 200, by)).toContain('train for fewer steps');
  });

  it('is the earliest of equals, and one checkpoint is enough', () => {
    expect(pickCheckpoint([scored(1, 0.5, 0.5), scored(2, 0.5, 0.5)])).toBe(1);
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
