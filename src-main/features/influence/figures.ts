import type { Estimate } from '../../../src-shared/domain/runScore.ts';
import { bootstrap, mean } from '../../engine/evaluation/confidence.ts';

/** Squared errors on one photo, [noises][h·w]. */
export type Errors = readonly Float32Array[];

/** What short runs have to say about the photos of one subject; errors are by photo. */
export interface Measured {
  /** Where each photo's subject is, [h·w] in 0…1; undefined where nothing stands out. */
  readonly subjects: readonly (Float32Array | undefined)[];
  readonly base: readonly Errors[];
  readonly all: readonly Errors[];
  /** By the photo that was left out, then by photo. */
  readonly without: readonly (readonly Errors[])[];
}

export interface Figures {
  readonly betterWithout: Estimate;
  readonly fromOthers: Estimate | null;
  readonly background: Estimate | null;
  readonly errors: { readonly base: number; readonly all: number; readonly without: number };
}

/**
 * What photo `index` does. `betterWithout` compares the run that left it out with those that left out another photo, on the photos that
 * all of them were trained with: leaving any photo out gives the others more of each step, and this cancels. `fromOthers` is the error on the photo's subject that
 * training without it takes away, as a part of what training with it does. `background` is what memorization is to Feldman
 * and Zhang (2020, "What Neural Networks Memorize and Why"), the error on the photo without it less that with it, by region. Undefined where the
 * run with all photos has learnt nothing of the others.
 */
export function figuresOf(measured: Measured, index: number): Figures | undefined {
  const { subjects, base, all, without } = measured;
  const onSubject = (errors: readonly Errors[], photo: number): number[] =>
    weighed(errors[photo] as Errors, subjects[photo]);
  const others = subjects.map((_, photo) => photo).filter((photo) => photo !== index);
  const learnt = mean(
    others.flatMap((photo) => {
      const [before, after] = [onSubject(base, photo), onSubject(all, photo)];
      return before.map((error, draw) => error - (after[draw] as number));
    }),
  );
  if (!(learnt > 0)) return undefined;
  const contrasts = others.map((photo) => {
    const own = onSubject(without[index] as readonly Errors[], photo);
    const rest = others
      .filter((other) => other !== photo)
      .map((other) => onSubject(without[other] as readonly Errors[], photo));
    return own.map((error, draw) => (mean(rest.map((one) => one[draw] as number)) - error) / learnt);
  });
  const alone = without[index] as readonly Errors[];
  const error = (errors: readonly Errors[]): number => mean(onSubject(errors, index));
  return {
    betterWithout: bootstrap(contrasts, mean),
    fromOthers: partOf(
      onSubject(base, index).map((before, draw) => ({
        part: before - (onSubject(alone, index)[draw] as number),
        whole: before - (onSubject(all, index)[draw] as number),
      })),
    ),
    background: backgroundOf(alone[index] as Errors, all[index] as Errors, subjects[index]),
    errors: { base: error(base), all: error(all), without: error(alone) },
  };
}

/** Errors per draw, the mean over the places that `weights` says. */
function weighed(errors: Errors, weights: Float32Array | undefined): number[] {
  return errors.map((places) => {
    if (!weights) return mean(Array.from(places));
    const sum = places.reduce((total, error, at) => total + error * (weights[at] as number), 0);
    return sum / weights.reduce((total, weight) => total + weight, 0);
  });
}

/** How much of the error that only this photo removes is around the subject. Null if it is not clear that it removes any. */
function backgroundOf(without: Errors, all: Errors, subject: Float32Array | undefined): Estimate | null {
  if (!subject) return null;
  const taught = without.map((places, draw) => {
    const with_ = all[draw] as Float32Array;
    let [inside, around] = [0, 0];
    places.forEach((error, at) => {
      const difference = error - (with_[at] as number);
      const share = subject[at] as number;
      inside += difference * share;
      around += difference * (1 - share);
    });
    return { inside, around };
  });
  const part = partOf(taught.map(({ inside, around }) => ({ part: around, whole: inside + around })));
  const within = (value: number): number => Math.min(1, Math.max(0, value));
  return part && { value: within(part.value), low: within(part.low), high: within(part.high) };
}

/** The sum of parts in that of wholes. Null where it is not clear that the whole is above 0. */
function partOf(draws: readonly { readonly part: number; readonly whole: number }[]): Estimate | null {
  const sum = (chosen: typeof draws, of: 'part' | 'whole'): number =>
    chosen.reduce((total, draw) => total + draw[of], 0);
  if (bootstrap([draws], (chosen) => sum(chosen, 'whole')).low <= 0) return null;
  return bootstrap([draws], (chosen) => sum(chosen, 'part') / sum(chosen, 'whole'));
}
