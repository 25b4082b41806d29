import type { ScoredCheckpoint, Reach } from '../../../src-shared/domain/runScore.ts';

type Scored = Pick<ScoredCheckpoint, 'step' | 'reach' | 'memorization'>;

/**
 * Share of copies above which a checkpoint is passed over where another is to be had. Not less: a prompt may ask for the very place
 * that a photo was taken in, and what it then gets looks like that photo by right.
 */
const tooManyCopies = 0.1;

/**
 * Where a figure stands between what costs nothing and what is best: fidelity from the base model's to the photos', editability
 * from chance to the base model's.
 */
export function reach(
  fidelity: { readonly value: number; readonly none: number; readonly all: number },
  editability: { readonly value: number; readonly none: number; readonly all: number },
): Reach {
  const share = ({ value, none, all }: typeof fidelity): number =>
    (value - none) / Math.max(all - none, 1e-3);
  const [f, e] = [share(fidelity), share(editability)];
  return { fidelity: f, editability: e, balance: f > 0 && e > 0 ? (2 * f * e) / (f + e) : Math.min(f, e, 0) };
}

/** The step to keep: the best balance among those that copy no photos; of equals the earliest. */
export function pickCheckpoint(scores: readonly Scored[]): number {
  const clean = scores.filter(({ memorization }) => memorization.share <= tooManyCopies);
  return best(clean.length > 0 ? clean : scores).step;
}

function best(scores: readonly Scored[]): Scored {
  return scores.reduce((most, one) => (one.reach.balance > most.reach.balance ? one : most));
}

/**
 * The step where the curve from the first to the last checkpoint bends most: farthest from their chord on the side of more of both
 * (Satopää et al. 2011, "Kneedle").
 */
export function kneeOf(scores: readonly Scored[]): number {
  const [first, last] = [scores[0] as Scored, scores.at(-1) as Scored];
  const along = {
    f: last.reach.fidelity - first.reach.fidelity,
    e: last.reach.editability - first.reach.editability,
  };
  const outwards = ({ reach: { fidelity, editability } }: Scored): number =>
    Math.sign(along.f || 1) *
    ((editability - first.reach.editability) * along.f - (fidelity - first.reach.fidelity) * along.e);
  return scores.reduce((most, one) => (outwards(one) > outwards(most) + 1e-12 ? one : most)).step;
}

/** One sentence: why that one. */
export function whyPicked(
  scores: readonly Scored[],
  pick: number,
  { editabilityBy }: { readonly editabilityBy: string },
): string {
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  const picked = scores.find(({ step }) => step === pick) as Scored;
  const { fidelity, editability } = picked.reach;
  const reached = `Step ${pick} comes ${percent(fidelity)} of the way from the base model to the photos and keeps ${percent(editability)} of its ${editabilityBy}`;
  if (fidelity <= 0)
    return `Step ${pick} is no more like the photos than the base model is, nor is any checkpoint that copies none: train for more steps.`;
  if (scores.length === 1) return `${reached}; it is the only checkpoint.`;
  if (picked.memorization.share > tooManyCopies)
    return `${reached}, but ${percent(picked.memorization.share)} of its pictures copy a photo, as with every other checkpoint: train for fewer steps.`;
  const unpunished = best(scores);
  if (unpunished.step !== pick)
    return `${reached}; step ${unpunished.step} has more of both, but ${percent(unpunished.memorization.share)} of its pictures copy a photo.`;
  const later = scores.filter(({ step }) => step > pick);
  const loses = later.every(({ reach }) => reach.editability < editability);
  const gains = later.every(({ reach }) => reach.fidelity > fidelity);
  if (later.length === 0)
    return `${reached}, the best balance; it is the last checkpoint, more steps may still help.`;
  if (loses && gains)
    return `${reached}; later checkpoints are more alike but pay more than that in ${editabilityBy}.`;
  if (loses) return `${reached}; later checkpoints lose ${editabilityBy} and gain no likeness in turn.`;
  return `${reached}, the best balance of all ${scores.length} checkpoints.`;
}
