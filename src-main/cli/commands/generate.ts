import { command } from '../command.ts';
import { version } from '../../shipped.ts';
import { generateOptions, generateRequest } from './generateOptions.ts';

export const generate = command({
  name: 'generate',
  summary: 'make pictures from prompts',
  usage: '--prompt TEXT… --out DIR [OPTIONS]',
  examples: [
    'likeness generate --prompt "a photo of a red ball" --out pictures',
    'likeness generate --prompt "a photo of sks dog on a beach" --lora runs/dog:0.8 --count 4 --seed 7 --out pictures',
    'likeness generate --recipe pictures/00001.png --out again',
  ],
  options: generateOptions,
  request: generateRequest,
  run: async (asked, context) => {
    const { generate } = await import('../../features/generation/generate.ts');
    const { requestFromRecipe } = await import('../../features/generation/fromRecipe.ts');
    const request = 'said' in asked ? await requestFromRecipe(asked.recipe, asked.said) : asked;
    const result = await generate(request, context, version);
    const text = result.images.map(({ path, seed }) => `${path} (seed ${seed})`).join('\n');
    return { fields: { ...result }, text };
  },
});
