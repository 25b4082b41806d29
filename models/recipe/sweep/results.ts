import type { Outcome } from './tryOut.ts';

/** A variant tried out on a subject. */
export interface Result {
  /** Hash of the weights that were finetuned. */
  readonly model: string;
  readonly guidance: number;
  /** Results from before there were these say none. */
  readonly baseGuidance?: number;
  readonly guidanceStop?: number;
  readonly seeds: number;
  readonly drawSteps: number;
  readonly variant: string;
  readonly subject: string;
  readonly kind: 'render' | 'photo';
  /** Share of the subject's own photos that are nearest to the right subject. */
  readonly ceiling: number;
  readonly outcomes: readonly Outcome[];
  /** The step that `score` picked. */
  readonly pick?: number;
}

/** The sheet of a result's pictures, a row a checkpoint. */
export function sheetName({ variant, subject }: Pick<Result, 'variant' | 'subject'>): string {
  return `${variant}-${subject}.png`.replaceAll(/[ ,]+/g, '-');
}

/** Both at once: the harmonic mean of the shares with the right subject and the right scene. */
export function quality({ right, scene }: Pick<Outcome, 'right' | 'scene'>): number {
  return right + scene === 0 ? 0 : (2 * right * scene) / (right + scene);
}

/** Means over the subjects, a row for each model, guidance, variant and step; rows of one variant may stand on different subjects. */
export function asTable(results: readonly Result[]): string {
  const rows = new Map<string, { outcome: Outcome; subject: string }[]>();
  for (const { model, guidance, baseGuidance, variant, subject, outcomes } of results)
    for (const outcome of outcomes) {
      const row = `${model.slice(0, 6)} | ${guidance} + ${baseGuidance ?? 0} | ${variant} | ${outcome.step}`;
      rows.set(row, [...(rows.get(row) ?? []), { outcome, subject }]);
    }
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const percent = (values: readonly number[]): string =>
    values.length === 0 ? '' : `${Math.round(100 * mean(values))}%`;
  const lines = [...rows].map(([row, found]) => {
    const of = (key: keyof Outcome): number[] => found.map(({ outcome }) => outcome[key]);
    const cells = [
      ...[row, found.length, percent(of('right')), mean(of('own')).toFixed(2), percent(of('scene'))],
      ...[mean(found.map(({ outcome }) => quality(outcome))).toFixed(2), Math.round(mean(of('cpuSeconds')))],
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| weights | guidance + by the base model | variant | step | subjects | right subject | cosine to photos | right scene | both | processor seconds |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

/**
 * How often `score`'s pick was at least as good as a fixed step, of the results that have a pick: a share for each place among the
 * checkpoints.
 */
export function picksAgainstFixed(results: readonly Result[]): number[] {
  const picked = results.filter(({ pick, outcomes }) => pick !== undefined && outcomes.length > 1);
  const places = Math.min(...picked.map(({ outcomes }) => outcomes.length));
  return Array.from({ length: Number.isFinite(places) ? places : 0 }, (_, place) => {
    const good = picked.filter(({ pick, outcomes }) => {
      const own = outcomes.find(({ step }) => step === pick);
      return own !== undefined && quality(own) >= quality(outcomes[place] as Outcome);
    });
    return good.length / picked.length;
  });
}
