import { command } from '../command.ts';
import { version } from '../../shipped.ts';
import { distillOptions, distillRequest } from './distillOptions.ts';

export const distill = command({
  name: 'distill',
  summary: 'train a smaller model to do what a larger one does',
  usage: '--teacher DIR --student DIR --data DIR --out RUN [OPTIONS]',
  examples: [
    'likeness distill --teacher stable-diffusion-v1-4 --student bk-small --data pictures --steps 2000 --out runs/small',
    'likeness distill --out runs/small --resume',
  ],
  options: distillOptions,
  request: distillRequest,
  run: async (request, context) => {
    const { distill } = await import('../../features/distillation/distill.ts');
    const result = await distill(request, context, version);
    const text = `${request.out}: ${result.steps} steps, loss ${result.loss.toFixed(4)}, weights in ${result.checkpoint}`;
    return { fields: { run: request.out, ...result }, text };
  },
});
