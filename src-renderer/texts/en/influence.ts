import type { PhotoInfluence } from '../../../src-shared/domain/photoInfluence.ts';
import { plural } from '../../../src-shared/plural.ts';

export const influence = {
  title: 'Which photo hurts?',
  about:
    'Likeness trains briefly without each photo in turn, always on the same noise, and measures whether the others are then learnt better or worse.',
  cost: (runs: number, steps: number, time: string | null) =>
    `${plural(runs, 'short run', 'short runs')} of ${plural(steps, 'step', 'steps')}${time === null ? '' : `, about ${time} on this machine`}. You can stop at any time; finished runs are kept.`,
  start: 'Find out',
  again: 'Look again',
  verdicts: {
    hurts: 'Hurts',
    odd: 'Does not fit',
    background: 'Teaches its background',
    helps: 'Helps',
    little: 'Makes little difference',
  } satisfies Record<PhotoInfluence['verdict'], string>,
  of: (subject: string) => `shows ${subject}`,
  others: (value: string, low: string, high: string) =>
    `Others without it: ${value} better [${low}, ${high}]`,
  fromOthers: (share: string, low: string, high: string) =>
    `Taught by the others alone: ${share} [${low}, ${high}]`,
  background: (share: string, low: string, high: string) =>
    `Share of background in what it alone teaches: ${share} [${low}, ${high}]`,
  error: (base: string, all: string, without: string) =>
    `Error on it: ${base} before, ${all} trained with all, ${without} without it`,
  open: (name: string) => `Open ${name}`,
  footnote: (steps: number, noises: number) =>
    `Short runs of ${plural(steps, 'step', 'steps')}, ${plural(noises, 'noise', 'noises')} a photo; 95% intervals in brackets. A short run shows what a photo pulls towards, not everything that a whole run makes of it.`,
};
