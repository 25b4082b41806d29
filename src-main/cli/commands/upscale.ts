import { upscaleFactors } from '../../../src-shared/domain/upscale.ts';
import { command } from '../command.ts';
import { choice, file, operand, required } from '../options.ts';
import { provider } from '../shared.ts';

export const upscaleCommand = command({
  name: 'upscale',
  summary: 'make pictures twice or four times as wide and high',
  usage: 'PATH --out DIR [OPTIONS]',
  examples: [
    'likeness upscale pictures/0001-a-red-ball-7.png --out large',
    'likeness upscale pictures --factor 4 --out large',
  ],
  options: {
    path: operand(file('PATH', 'a picture, or a folder of pictures')),
    out: required(file('DIR', 'folder for the enlarged pictures')),
    factor: choice(upscaleFactors, 'how many times as wide and high', { fallback: '2' }),
    provider: provider('auto'),
  },
  request: ({ path: pictures, out, factor = 2, provider: on = 'auto' }) => ({
    ...{ pictures, out, factor, provider: on },
  }),
  run: async (request, context) => {
    const { upscale } = await import('../../features/upscale.ts');
    const { images } = await upscale(request, context);
    const text = images.map(({ path, width, height }) => `${path} (${width}×${height})`).join('\n');
    return { fields: { images }, text };
  },
});
