import { scoreDefaults } from '../../features/score/request.ts';
import { command } from '../command.ts';
import { scorerFiles, version } from '../../shipped.ts';
import { finetuneOptions, finetuneRequest } from './finetuneOptions.ts';

export const finetune = command({
  name: 'finetune',
  summary: 'teach a model a subject from photos',
  usage: '--photos DIR --class NOUN --out RUN [OPTIONS]',
  examples: [
    'likeness finetune --photos photos/dog --class dog --out runs/dog',
    'likeness finetune --photos photos/dog --class dog --out runs/dog --resume',
    'likeness finetune --photos photos/dog --class dog --out runs/dog --until best',
    'likeness finetune --photos photos/mug --class mug --model sd-1.5 --method full --steps 400 --out runs/mug',
  ],
  options: finetuneOptions,
  request: (given) => ({ ...finetuneRequest(given), until: given.until }),
  run: async ({ until, ...request }, context) => {
    const { finetune } = await import('../../features/training/finetune.ts');
    const run = request.out;
    const ended = ({ steps, loss, checkpoint }: Awaited<ReturnType<typeof finetune>>): string =>
      `${run}: ${steps} steps, loss ${loss.toFixed(4)}, weights in ${checkpoint}`;
    if (until === undefined) {
      const result = await finetune(request, context, version);
      return { fields: { run, ...result }, text: ended(result) };
    }
    const { score } = await import('../../features/score/score.ts');
    const { untilBest } = await import('../../features/score/untilBest.ts');
    const { provider = scoreDefaults.provider } = request.settings;
    const scoring = { ...scoreDefaults, ...scorerFiles, run, provider };
    const { result, pick, why } = await untilBest(
      run,
      (inside, again) => finetune({ ...request, resume: again || request.resume }, inside, version),
      (inside) => score(scoring, inside),
      context,
    );
    const text = result ? ended(result) : `${run}: ended early, two checkpoints in a row were no better`;
    return { fields: { run, ...result, pick, why, endedEarly: !result }, text: `${text}\n${why}` };
  },
});
