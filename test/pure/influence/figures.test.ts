import { describe, expect, it } from 'vitest';
import { figuresOf, type Errors, type Measured } from '../../../src-main/features/influence/figures.ts';
import { findingOf, inNewPlaces } from '../../../src-main/features/influence/findings.ts';

const noises = 8;
/** The upper half of the picture is the subject. */
const subject = Float32Array.of(1, 1, 0, 0);

/** Errors of a photo whose subject has `inside`, its background `around`; noise that is the same for every network. */
const errors = (inside: number, around: number): Errors =>
  Array.from({ length: noises }, (_, draw) => {
    const noise = 0.01 * Math.sin(1 + draw);
    return Float32Array.of(inside + noise, inside + noise, around + noise, around + noise);
  });

/**
 * Four photos. Without any, the error is 1; training takes half of it away. `gains[i][j]`: how much lower photo j's error is for leaving out photo i;
 * `own`: what only a photo itself takes away, in its subject and around it.
 */
const measured = (gains: readonly (readonly number[])[], own = { inside: 0.1, around: 0.02 }): Measured => ({
  subjects: gains.map(() => subject),
  base: gains.map(() => errors(1, 1)),
  all: gains.map(() => errors(0.5, 0.9)),
  without: gains.map((row, left) =>
    row.map((gain, photo) =>
      photo === left ? errors(0.5 + own.inside, 0.9 + own.around) : errors(0.5 - gain, 0.9),
    ),
  ),
});
const even = [0, 0, 0, 0];

const factsOf = (from: Measured, index: number, more = {}) => {
  const figures = figuresOf(from, index);
  if (!figures) throw new Error('nothing was learnt');
  return { name: `${index}.jpg`, subject: 'sks dog', masked: false, ...more, ...figures };
};

describe('what a photo does to the others', () => {
  it('is how much better they are learnt without it, of what is learnt: a tenth of it here', () => {
    const spoilt = measured([even, even, [0.05, 0.05, 0, 0.05], even]);
    const { betterWithout } = factsOf(spoilt, 2);
    expect(betterWithout.value).toBeCloseTo(0.05 / 0.5, 5);
    expect(findingOf(factsOf(spoilt, 2))).toMatchObject({ verdict: 'hurts' });
    expect(findingOf(factsOf(spoilt, 2)).message).toMatch(/^2\.jpg hurts: .*10% better without it/);
    expect(findingOf(factsOf(spoilt, 0)).verdict).not.toBe('hurts');
  });

  it('is nothing where leaving any photo out gives the others as much more of each step', () => {
    const bias = measured(
      [0, 1, 2, 3].map((left) => [0, 1, 2, 3].map((photo) => (photo === left ? 0 : 0.2))),
    );
    for (const index of [0, 1, 2, 3]) {
      expect(factsOf(bias, index).betterWithout.value).toBeCloseTo(0, 6);
      expect(findingOf(factsOf(bias, index))).toMatchObject({
        verdict: 'little',
        message: `${index}.jpg makes no clear difference to the others.`,
      });
    }
  });

  it('helps where the others are learnt worse without it', () => {
    const good = measured([[0, -0.1, -0.1, -0.1], even, even, even]);
    expect(findingOf(factsOf(good, 0)).message).toBe(
      '0.jpg helps: the subject in the other photos is learnt 20% worse without it than without another photo.',
    );
  });

  it('is not said where the photos disagree', () => {
    const unsure = measured([[0, 0.3, -0.2, 0.1], even, even, even]);
    expect(findingOf(factsOf(unsure, 0)).verdict).toBe('little');
  });

  it('cannot be told where nothing was learnt', () => {
    const { base, ...rest } = measured([even, even, even, even]);
    expect(figuresOf({ ...rest, base, all: base }, 0)).toBeUndefined();
  });
});

describe('what the others teach of a photo', () => {
  it('is four fifths here: they take away 0.4 of the 0.5 that all do', () => {
    const { fromOthers } = factsOf(measured([even, even, even, even]), 1);
    expect(fromOthers?.value).toBeCloseTo(0.8, 5);
  });

  it('is nothing of a photo of something else, which does not fit', () => {
    const odd = measured([even, even, even, even], { inside: 0.6, around: 0.02 });
    expect(factsOf(odd, 3).fromOthers?.value).toBeCloseTo(-0.2, 5);
    expect(findingOf(factsOf(odd, 3))).toEqual({
      verdict: 'odd',
      message:
        '3.jpg does not fit: what the other photos teach makes it worse. If it does not show sks dog, leave it out; if it does, as no other photo shows it, add photos like it.',
    });
    const hardly = measured([even, even, even, even], { inside: 0.45, around: 0.02 });
    expect(findingOf(factsOf(hardly, 3)).message).toContain('the other photos teach only 10% of it');
  });

  it('is not told where nothing is learnt of it', () => {
    const none = measured([even, even, even, even]);
    const all = none.all.map((of, photo) => (photo === 2 ? errors(1, 0.9) : of));
    expect(factsOf({ ...none, all }, 2).fromOthers).toBeNull();
  });
});

describe('what only this photo teaches', () => {
  const carpet = measured([even, even, even, even], { inside: 0.02, around: 0.18 });

  it('is mostly its background: nine tenths of it here, with the place by name', () => {
    expect(factsOf(carpet, 1).background?.value).toBeCloseTo(0.9, 5);
    expect(findingOf(factsOf(carpet, 1, { scene: 'on a wooden floor' }))).toEqual({
      verdict: 'background',
      message:
        '1.jpg teaches its background (on a wooden floor): that is 90% of what is learnt from this photo alone. Mask it.',
    });
    expect(findingOf(factsOf(carpet, 1, { masked: true })).message).toContain('It has a mask');
  });

  it('is not told of a run that shows the subject in new places', () => {
    const { background: _, ...others } = factsOf(carpet, 1);
    expect(inNewPlaces(factsOf(carpet, 1))).toEqual({ ...others, background: null });
    const facts = { ...factsOf(carpet, 1), ...inNewPlaces(factsOf(carpet, 1)) };
    expect(findingOf(facts).verdict).not.toBe('background');
  });

  it('is not told of a photo without a subject that stands out, or one that teaches nothing alone', () => {
    const whole = { ...carpet, subjects: carpet.subjects.map(() => undefined) };
    expect(factsOf(whole, 1).background).toBeNull();
    expect(factsOf(measured([even, even, even, even], { inside: 0, around: 0 }), 1).background).toBeNull();
  });
});
