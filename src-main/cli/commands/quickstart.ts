import path from 'node:path';
import type { QuickstartResult } from '../../features/quickstart/quickstart.ts';
import { command } from '../command.ts';
import { duration } from '../output.ts';
import { shippedModel, version } from '../../shipped.ts';
import { quickstartOptions, quickstartRequest } from './quickstartOptions.ts';

export const quickstart = command({
  name: 'quickstart',
  summary: 'photos to pictures in one go: finetune, draw, export',
  usage: '[--photos DIR --class NOUN] [--out DIR] [OPTIONS]',
  examples: ['likeness quickstart', 'likeness quickstart --photos photos/dog --class dog --out dog'],
  options: quickstartOptions,
  request: quickstartRequest,
  run: async (request, context) => {
    const { quickstart } = await import('../../features/quickstart/quickstart.ts');
    const started = performance.now();
    const result = await quickstart(request, context, version);
    const { settings, labelled: _, ...fields } = result;
    const seconds = Math.round(performance.now() - started) / 1000;
    return {
      fields: { ...fields, method: settings.method, seconds },
      text: `Done in ${duration(seconds)}. ${describe(result)}`,
    };
  },
});

const about = {
  kohya: 'what was learnt, as a LoRA for AUTOMATIC1111, ComfyUI and others',
  diffusers: 'the whole model, for diffusers',
} as const;

function describe({
  out,
  run,
  pictures,
  weights,
  settings,
  labelled,
  contactSheet,
}: QuickstartResult): string {
  const inside = (file: string): string => path.relative(out, file);
  const made = [
    [inside(contactSheet), `your photos and ${pictures.length} new pictures`],
    ['pictures', 'the pictures; each carries its recipe'],
    ...weights.map(({ format, path: file }) => [inside(file), about[format]] as const),
    [inside(run), 'the run: checkpoints, samples, log'],
  ] as const;
  const column = Math.max(...made.map(([name]) => name.length)) + 2;
  const { token, classNoun, method, model } = settings;
  const onModel = model === shippedModel ? '' : `--model "${model}" `;
  const drawnBy =
    method === 'lora' ? `${onModel}--lora "${run}"` : `--model "${path.join(out, 'weights', 'diffusers')}"`;
  return [
    `In ${out}:`,
    ...made.map(([name, text]) => `  ${name.padEnd(column)}${text}`),
    // No font on this machine: what the sheet can't say is said here.
    ...(labelled ? [] : ['On the sheet, row by row:', ...pictures.map(({ prompt }) => `  ${prompt}`)]),
    'What to try next:',
    `  npx likeness generate ${drawnBy} --prompt "a photo of ${token} ${classNoun} in a garden" --count 4 --out more`,
    '  npx likeness quickstart --photos YOUR_PHOTOS --class WHAT_THEY_SHOW',
    '  npx likeness finetune --model A_LARGER_MODEL --photos YOUR_PHOTOS --class WHAT_THEY_SHOW --out my-run',
  ].join('\n');
}
