import { influenceDefaults as defaults, type InfluenceRequest } from '../../features/influence/request.ts';
import type { InfluenceResult } from '../../features/influence/influence.ts';
import type { Estimate } from '../../../src-shared/domain/runScore.ts';
import { providerChoices } from '../../../src-shared/domain/providers.ts';
import { maxSteps } from '../../../src-shared/domain/loopSettings.ts';
import { command } from '../command.ts';
import { choice, file, integer, required } from '../options.ts';
import { defined } from '../shared.ts';
import { plural } from '../../../src-shared/plural.ts';

export const influence = command({
  name: 'influence',
  summary: 'which photos of a run help and which hurt, by short runs that leave one out',
  usage: '--run RUN [OPTIONS]',
  examples: ['likeness influence --run runs/dog', 'likeness influence --run runs/dog --steps 120'],
  options: {
    run: required(
      file('RUN', 'the folder that finetune wrote to; after an interruption, the same command continues'),
    ),
    steps: integer('N', 'optimizer steps of each short run', {
      min: 1,
      max: maxSteps,
      fallback: `${defaults.steps}, or all of a shorter run`,
    }),
    noises: integer('N', 'noise samples that each photo is measured with', {
      min: 2,
      max: 1000,
      fallback: defaults.noises,
    }),
    provider: choice(providerChoices, 'what to compute with', { fallback: "the run's" }),
  },
  request: ({ run, ...given }): InfluenceRequest => ({ noises: defaults.noises, ...defined(given), run }),
  run: async (request, context) => {
    const { influence: measure } = await import('../../features/influence/influence.ts');
    const result = await measure(request, context);
    return { fields: { ...result }, text: describe(result) };
  },
});

function describe({ photos, steps, noises, path }: InfluenceResult): string {
  const lines = photos.flatMap(({ message, betterWithout, fromOthers, background, errors }) => [
    message,
    `  others without it: ${signed(betterWithout)}${background ? `; share of background in what it alone teaches: ${interval(background)}` : ''}`,
    ...(fromOthers ? [`  taught by the others alone: ${interval(fromOthers)}`] : []),
    `  error on it: ${errors.base.toFixed(4)} before, ${errors.all.toFixed(4)} trained with all, ${errors.without.toFixed(4)} without it`,
  ]);
  return [
    ...lines,
    `${photos.length + 1} short runs of ${plural(steps, 'step', 'steps')}, ${plural(noises, 'noise', 'noises')} a photo; intervals of 95%.`,
    `Figures: ${path}`,
  ].join('\n');
}

const percent = (share: number): string => `${share < 0 ? '−' : ''}${Math.round(100 * Math.abs(share))}%`;
const interval = ({ value, low, high }: Estimate): string =>
  `${percent(value)} [${percent(low)}, ${percent(high)}]`;

function signed({ value, low, high }: Estimate): string {
  const one = (share: number): string => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}%`;
  return `${one(value)} better [${one(low)}, ${one(high)}]`;
}
