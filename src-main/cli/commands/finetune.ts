import { command } from '../command.ts';
import { version } from '../shipped.ts';
import { finetuneOptions, finetuneRequest } from './finetuneOptions.ts';

export const finetune = command({
  name: 'finetune',
  summary: 'teach a model a subject from photos',
  usage: '--photos DIR --class NOUN --out RUN [OPTIONS]',
  examples: [
    'likeness finetune --photos photos/dog --class dog --out runs/dog',
    'likeness finetune --photos photos/dog --class dog --out runs/dog --resume',
    'likeness finetune --photos photos/mug --class mug --model sd-1.5 --method full --steps 400 --out runs/mug',
  ],
  options: finetuneOptions,
  request: finetuneRequest,
  run: async (request, context) => {
    const { finetune } = await import('../../features/training/finetune.ts');
    const result = await finetune(request, context, version);
    const text = `${request.out}: ${result.steps} steps, loss ${result.loss.toFixed(4)}, weights in ${result.checkpoint}`;
    return { fields: { run: request.out, ...result }, text };
  },
});
