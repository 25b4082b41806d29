import type { ScoredCheckpoint, Reach } from '../../../src-shared/domain/runScore.ts';
import { bootstrap } from './confidence.ts';

type Scored = Pick<ScoredCheckpoint, 'step' | 'reach' | 'memorization'>;

/** A checkpoint, and the balance of a sample of its pictures, in which each counts as often as it is drawn. */
export interface Candidate extends Scored {
  readonly balanceOf: (chosen: readonly number[]) => number;
}

/** Share of copies from which a picked checkpoint is warned about. */
const manyCopies = 0.1;
/** A shorter distance than this, in cosine, measures nothing. */
const leastWay = 0.02;

/**
 * Where a figure stands between doing nothing and the best possible: fidelity from the base model's to the photos' own,
 * editability from chance to the base model's. Pictures that copy a photo followed no prompt: `copies` is their share.
 */
export function reach(
  fidelity: { readonly value: number; readonly none: number; readonly all: number },
  editability: { readonly value: number; readonly none: number; readonly all: number },
  copies = 0,
): Reach {
  const share = ({ value, none, all }: typeof fidelity): number =>
    (value - none) / Math.max(all - none, leastWay);
  const [f, e] = [share(fidelity), share(editability) * (1 - copies)];
  return { fidelity: f, editability: e, balance: f > 0 && e > 0 ? (2 * f * e) / (f + e) : Math.min(f, e, 0) };
}

/**
 * The step to keep: the last checkpoint whose balance is not measurably worse than the best one's, over other draws of prompts and
 * seeds. It has learnt longest without harm. `cells`: the pictures' places by prompt and seed.
 */
export function pickCheckpoint(
  candidates: readonly Candidate[],
  cells: readonly (readonly number[])[],
): number {
  const best = bestOf(candidates);
  const asGood = ({ balanceOf }: Candidate): boolean =>
    bootstrap(cells, (chosen) => balanceOf(chosen) - best.balanceOf(chosen)).high >= 0;
  return (candidates.findLast((one) => one.step > best.step && asGood(one)) ?? best).step;
}

/** The checkpoint with the best balance; the first of equals. */
export function bestOf<T extends Pick<Scored, 'reach'>>(scores: readonly T[]): T {
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

/** Why that one, in a sentence or two. */
export function whyPicked(
  scores: readonly Scored[],
  pick: number,
  { editabilityBy }: { readonly editabilityBy: string },
): string {
  const percent = (share: number): string => `${Math.round(100 * Math.min(1, Math.max(0, share)))}%`;
  const picked = scores.find(({ step }) => step === pick) as Scored;
  const { fidelity, editability } = picked.reach;
  const reached = `Step ${pick} comes ${percent(fidelity)} of the way from the base model to the photos and keeps ${percent(editability)} of its ${editabilityBy}`;
  if (fidelity <= 0)
    return `Step ${pick} is no more like the photos than the base model is: train for more steps, or on photos that show the subject more clearly.`;
  const copies =
    picked.memorization.share > manyCopies
      ? ` ${percent(picked.memorization.share)} of its pictures copy a photo: ask for other places than the photos', or train for fewer steps.`
      : '';
  return `${reached}${because(scores, pick, editabilityBy)}${copies}`;
}

function because(scores: readonly Scored[], pick: number, editabilityBy: string): string {
  if (scores.length === 1) return '; it is the only checkpoint.';
  const best = bestOf(scores);
  if (best.step !== pick)
    return `; step ${best.step} has the better balance, but by no more than chance explains, and this one has learnt for longer.`;
  const later = scores.filter(({ step }) => step > pick);
  const loses = later.every(({ reach }) => reach.editability < best.reach.editability);
  const gains = later.every(({ reach }) => reach.fidelity > best.reach.fidelity);
  if (later.length === 0) return ', the best balance; it is the last checkpoint, more steps may still help.';
  if (loses && gains) return `; later checkpoints are more alike but pay more than that in ${editabilityBy}.`;
  if (loses) return `; later checkpoints lose ${editabilityBy} and gain no likeness in turn.`;
  return `, the best balance of all ${scores.length} checkpoints.`;
}
