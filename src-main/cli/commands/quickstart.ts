import path from 'node:path';
import { existsSync } from 'node:fs';
import { maxSteps } from '../../../src-shared/domain/loopSettings.ts';
import type { QuickstartResult } from '../../features/quickstart/quickstart.ts';
import { command } from '../command.ts';
import { duration } from '../output.ts';
import { shippedModel, version, sampleSubject } from '../../shipped.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { QuickstartRequest } from '../../features/quickstart/request.ts';
import { file, model, integer, word, type Given } from '../options.ts';
import { defined, provider } from '../shared.ts';

const folderName = 'likeness-quickstart';

const options = {
  photos: file('DIR', 'a folder with 4 to 6 photos of your subject', { fallback: 'a sample subject' }),
  class: word('NOUN', 'what the photos show: dog, mug, backpack'),
  out: file('DIR', 'folder for everything; an earlier quickstart in it continues', {
    fallback: `a new ${folderName}`,
  }),
  model: model('PATH', 'diffusers folder, single file or Hub id to start from', {
    fallback: 'the shipped model',
  }),
  steps: integer('N', 'optimizer steps', { min: 1, max: maxSteps, fallback: "the model's own" }),
  provider: provider('auto'),
};

export const quickstart = command({
  name: 'quickstart',
  summary: 'photos to pictures in one go: finetune, draw, export',
  usage: '[--photos DIR --class NOUN] [--out DIR] [OPTIONS]',
  examples: ['likeness quickstart', 'likeness quickstart --photos photos/dog --class dog --out dog'],
  options,
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

/** Throws `usage.…`: your own photos need a class noun, and a class noun needs photos. */
function quickstartRequest({ photos, class: classNoun, ...given }: Given<typeof options>): QuickstartRequest {
  const { out, model = shippedModel, steps, provider = 'auto' } = given;
  const missing = (option: string): Error =>
    problem('usage.missingOption', { option, command: 'quickstart' });
  if (photos !== undefined && classNoun === undefined) throw missing('--class');
  if (photos === undefined && classNoun !== undefined) throw missing('--photos');
  const subject = photos !== undefined && classNoun !== undefined ? { photos, classNoun } : sampleSubject();
  return { ...subject, out: out ?? newFolder(), model, provider, ...defined({ steps }) };
}

/** `likeness-quickstart`, or with the first number that is free. */
function newFolder(): string {
  let folder = path.resolve(folderName);
  for (let number = 2; existsSync(folder); number++) folder = path.resolve(`${folderName}-${number}`);
  return folder;
}

const about = {
  kohya: 'what was learnt, as a LoRA for ComfyUI and other tools',
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
  const { token, classNoun } = settings;
  return [
    `In ${out}:`,
    ...made.map(([name, text]) => `  ${name.padEnd(column)}${text}`),
    // Without a font on this machine, the sheet has no labels, so they are printed here.
    ...(labelled ? [] : ['On the sheet, row by row:', ...pictures.map(({ prompt }) => `  ${prompt}`)]),
    'What to try next:',
    `  npx likeness generate --lora "${run}" --prompt "a photo of ${token} ${classNoun} in a garden" --count 4 --out more`,
    '  npx likeness quickstart --photos YOUR_PHOTOS --class WHAT_THEY_SHOW',
    '  npx likeness finetune --model A_LARGER_MODEL --photos YOUR_PHOTOS --class WHAT_THEY_SHOW --out my-run',
  ].join('\n');
}
