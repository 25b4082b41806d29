import { subjectKinds } from '../../../src-shared/domain/runScore.ts';
import { scoreDefaults as defaults, type ScoreRequest } from '../../features/score/request.ts';
import { schedulerNames } from '../../engine/schedulers/config.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { choice, file, integer, names, number, required, type Given } from '../options.ts';
import { readPrompts } from '../readPrompts.ts';
import { defined, provider } from '../shared.ts';
import { scorerFiles } from '../../shipped.ts';

export const scoreOptions = {
  run: required(file('RUN', 'the folder that finetune wrote to')),
  checkpoints: names('A,B', 'steps to score', { fallback: 'all' }),
  photos: file('DIR', 'photos to compare with', { fallback: "the run's" }),
  prompts: file(
    'FILE',
    'prompts of your own, one a line, added to the 25 standard ones; {} stands for the subject',
  ),
  kind: choice(subjectKinds, 'which standard prompts', { fallback: 'by the class noun' }),
  seeds: integer('N', 'pictures a prompt', { min: 1, max: 1000, fallback: defaults.seeds }),
  steps: integer('N', 'denoising steps', { min: 1, max: 1000, fallback: defaults.steps }),
  guidance: number('X', 'how closely to follow the prompt', {
    min: 0,
    max: 1000,
    fallback: "the model's own, or 7.5",
  }),
  scheduler: choice(schedulerNames, 'the sampler', { fallback: defaults.scheduler }),
  clip: file('DIR', 'a CLIP folder (transformers), to judge prompts and subject by'),
  dino: file('DIR', 'a DINO ViT folder (transformers), to judge the subject by'),
  provider: provider(defaults.provider),
};

/** Throws `usage.badValue` where a checkpoint is no number, and where the file of prompts cannot be used. */
export function scoreRequest(given: Given<typeof scoreOptions>): ScoreRequest {
  const { run, checkpoints, prompts, ...rest } = given;
  return {
    ...defaults,
    ...scorerFiles,
    ...defined(rest),
    run,
    prompts: prompts === undefined ? [] : readPrompts(prompts),
    ...(checkpoints && { checkpoints: checkpoints.map(stepOf) }),
  };
}

function stepOf(word: string): number {
  if (/^\d+$/.test(word)) return Number(word);
  throw problem('usage.badValue', {
    option: '--checkpoints',
    value: word,
    expected: 'steps with a comma between them',
  });
}
