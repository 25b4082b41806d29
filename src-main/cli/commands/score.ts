import type { Figures } from '../../../src-shared/domain/runScore.ts';
import type { ScoreResult } from '../../features/score/score.ts';
import { command } from '../command.ts';
import { scoreOptions, scoreRequest } from './scoreOptions.ts';

export const score = command({
  name: 'score',
  summary: 'compare the checkpoints of a run, and pick one',
  usage: '--run RUN [OPTIONS]',
  examples: [
    'likeness score --run runs/dog',
    'likeness score --run runs/dog --checkpoints 200,400 --prompts my-prompts.txt --seeds 4',
    'likeness score --run runs/dog --clip clip-vit-base-patch32 --dino dino-vits16',
  ],
  options: scoreOptions,
  request: scoreRequest,
  run: async (request, context) => {
    const { score } = await import('../../features/score/score.ts');
    const result = await score(request, context);
    return { fields: { ...result }, text: describe(result) };
  },
});

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
      `  ${'copies of photos'.padEnd(30)}${Math.round(100 * memorization.share)} %`,
      `  ${'fidelity, editability'.padEnd(30)}${reach.fidelity.toFixed(2)}, ${reach.editability.toFixed(2)}`,
    ].join('\n'),
  );
  const beside = (title: string, figures: Figures): string =>
    [title, ...Object.keys(figures).map((name) => `  ${name.padEnd(30)}${cell(figures, name)}`)].join('\n');
  return [
    beside('photos among themselves', photos),
    beside('base model, class in place of the subject', base),
    ...lines,
    ...(withoutPrompt === null ? [] : [`No figure for following prompts: ${withoutPrompt}.`]),
    why,
    `Figures: ${files.scores}`,
    `Curve: ${files.curve}`,
    `Pictures side by side: ${files.contactSheet}`,
  ].join('\n');
}
