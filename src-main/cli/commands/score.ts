import { generationLimits } from '../../../src-shared/domain/generationLimits.ts';
import { type Figures, type Mixing, subjectKinds } from '../../../src-shared/domain/runScore.ts';
import type { ScoreResult } from '../../features/score/score.ts';
import { command } from '../command.ts';
import { promptListNames } from '../../../src-shared/domain/score.ts';
import { scoreDefaults as defaults, type ScoreRequest } from '../../features/score/request.ts';
import { schedulerNames } from '../../engine/schedulers/config.ts';
import { badValue, choice, file, integer, names, number, required, type Given } from '../options.ts';
import { readPrompts } from '../../engine/training/data/promptFiles.ts';
import { defined, provider } from '../shared.ts';
import { scorerFiles } from '../../shipped.ts';

const options = {
  run: required(file('RUN', 'the folder that finetune wrote to')),
  checkpoints: names('A,B', 'steps to score', { fallback: 'all' }),
  photos: file('DIR', 'photos to compare with', { fallback: "the run's" }),
  prompts: file(
    'FILE',
    'your own prompts, one per line, added to the 25 of the list; {} stands for the subject',
  ),
  list: choice(promptListNames, "which 25 prompts: Likeness' own, or those of DreamBooth's evaluation", {
    fallback: defaults.list,
  }),
  kind: choice(subjectKinds, 'which prompts of the list', { fallback: 'by the class noun' }),
  seeds: integer('N', 'pictures per prompt', { min: 1, max: 1000, fallback: defaults.seeds }),
  steps: integer('N', 'denoising steps', { ...generationLimits.steps, fallback: defaults.steps }),
  guidance: number('X', 'how closely to follow the prompt', {
    ...generationLimits.guidance,
    fallback: "the model's own, or 7.5",
  }),
  scheduler: choice(schedulerNames, 'the sampler', { fallback: defaults.scheduler }),
  clip: file('DIR', 'a CLIP folder (transformers), to judge prompts and subject'),
  dino: file('DIR', 'a DINO ViT folder (transformers), to judge the subject'),
  provider: provider(defaults.provider),
};

export const score = command({
  name: 'score',
  summary: 'compare the checkpoints of a run, and pick one',
  usage: '--run RUN [OPTIONS]',
  examples: [
    'likeness score --run runs/dog',
    'likeness score --run runs/dog --checkpoints 200,400 --prompts my-prompts.txt --seeds 4',
    'likeness score --run runs/dog --clip clip-vit-base-patch32 --dino dino-vits16',
  ],
  options,
  request: scoreRequest,
  run: async (request, context) => {
    const { score } = await import('../../features/score/score.ts');
    const { alarmsOf } = await import('../../features/score/alarms.ts');
    const result = await score(request, context);
    for (const message of alarmsOf(result)) context.report({ type: 'warning', message });
    return { fields: { ...result }, text: describe(result) };
  },
});

/** Throws `usage.badValue` where a checkpoint is no number, and where the file of prompts cannot be used. */
function scoreRequest(given: Given<typeof options>): ScoreRequest {
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
  throw badValue('--checkpoints', word, 'steps with a comma between them');
}

function describe(result: ScoreResult): string {
  const { base, photos, checkpoints, pick, why, withoutPrompt, files } = result;
  const names = Object.keys(checkpoints[0]?.figures ?? {});
  const cell = (figures: Figures, name: string): string => {
    const figure = figures[name];
    if (!figure) return '–';
    const { value, low, high } = figure;
    return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  };
  const lines = checkpoints.map(({ step, figures, reach, memorization }) =>
    [
      `step ${step}${step === pick ? '  (pick)' : ''}`,
      ...names.map((name) => `  ${name.padEnd(30)}${cell(figures, name)}`),
      `  ${'copies of photos'.padEnd(30)}${Math.round(100 * memorization.share)}%`,
      `  ${'fidelity, editability'.padEnd(30)}${reach.fidelity.toFixed(2)}, ${reach.editability.toFixed(2)}`,
    ].join('\n'),
  );
  const ofSubjects = (result.subjects ?? []).map((subject) =>
    [
      `${subject.name}: likeness to its own photos, to those of the others, and pictures that are more like another's`,
      mixingLine('photos', subject.photos.mixing),
      mixingLine('base model', subject.base.mixing),
      ...subject.checkpoints.map(({ step, mixing }) => mixingLine(`step ${step}`, mixing)),
    ].join('\n'),
  );
  const beside = (title: string, figures: Figures): string =>
    [title, ...Object.keys(figures).map((name) => `  ${name.padEnd(30)}${cell(figures, name)}`)].join('\n');
  return [
    beside('photos among themselves', photos),
    beside('base model, class in place of the subject', base),
    ...lines,
    ...ofSubjects,
    ...(withoutPrompt === null ? [] : [`No figure for following prompts: ${withoutPrompt}.`]),
    why,
    `Figures: ${files.scores}`,
    `Curve: ${files.curve}`,
    `Pictures side by side: ${files.contactSheet}`,
  ].join('\n');
}

function mixingLine(title: string, { own, others, mixed }: Mixing): string {
  const beside = others.map(({ name, likeness }) => `${likeness.value.toFixed(3)} (${name})`).join(', ');
  return `  ${title.padEnd(30)}${own.value.toFixed(3)}; ${beside}; ${Math.round(100 * mixed)}%`;
}
