import type { Estimate, Figures, Reach, ScoredCheckpoint } from '../../../src-shared/domain/runScore.ts';
import { mean } from '../../engine/evaluation/confidence.ts';

type Part = Pick<ScoredCheckpoint, 'figures' | 'reach' | 'memorization'>;

/** A checkpoint by the figures of each of its subjects: those of one, or else means. */
export function meanOfSubjects(parts: readonly Part[]): Part {
  const [only, ...others] = parts;
  if (only && others.length === 0) return only;
  const of = (value: (part: Part) => number): number => mean(parts.map(value));
  const reach: Reach = {
    fidelity: of((part) => part.reach.fidelity),
    editability: of((part) => part.reach.editability),
    balance: of((part) => part.reach.balance),
  };
  return {
    figures: meanFigures(parts.map(({ figures }) => figures)),
    reach,
    memorization: {
      share: of(({ memorization }) => memorization.share),
      threshold: Math.max(...parts.map(({ memorization }) => memorization.threshold)),
      copies: parts.flatMap(({ memorization }) => memorization.copies),
    },
  };
}

/** Means of figures; null where no subject has one. The intervals' ends are means too, so they are wider than need be. */
export function meanFigures(all: readonly Figures[]): Figures {
  const [only, ...others] = all;
  if (only && others.length === 0) return only;
  const names = [...new Set(all.flatMap((figures) => Object.keys(figures)))];
  return Object.fromEntries(
    names.map((name) => {
      const found = all.map((figures) => figures[name]).flatMap((one) => one ?? []);
      const of = (key: keyof Estimate): number => mean(found.map((one) => one[key]));
      return [name, found.length === 0 ? null : { value: of('value'), low: of('low'), high: of('high') }];
    }),
  );
}
