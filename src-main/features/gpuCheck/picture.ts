import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Precision } from '../../../src-shared/domain/precision.ts';
import type { Provider } from '../../../src-shared/domain/providers.ts';
import { readJson, readText } from '../../engine/checkpoints/files.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { Tokenizer } from '../../engine/models/tokenizer.ts';
import { openTokenizer } from '../../engine/pipelines/openTokenizer.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import { TextToImage } from '../../engine/pipelines/textToImage.ts';
import { memoryInUse } from '../../engine/runtime/memoryInUse.ts';
import { inPrecision, type Tell } from './findings.ts';
import { gigabytes } from './speed.ts';

interface PictureOptions {
  readonly provider: Provider;
  readonly size: number;
  readonly steps: number;
  /** In which the device draws; the CPU it is compared with draws in f32. */
  readonly precision?: Precision;
  readonly tell: Tell;
}

/** Decibels from which on two 8-bit pictures look the same. */
const alike = 35;

/** Draws a picture with the same seed on the device and on the CPU. `words`: whose tokenizer is used, where the model has none. */
export async function comparePicture(model: Model, options: PictureOptions, words?: Model): Promise<void> {
  const { tell } = options;
  const what = `A picture of ${options.size}², ${options.steps} steps${inPrecision(options.precision)}`;
  if (tell.told?.has(what)) return;
  const tokenizer = words && (await lentTokenizer(words, model));
  const [found, expected] = [
    await draw(model, options, tokenizer),
    await draw(model, { ...options, provider: 'cpu', precision: 'f32' }, tokenizer),
  ];
  const decibels = likeness(found.picture, expected.picture);
  tell({
    what,
    found:
      decibels === Infinity
        ? 'the CPU’s bytes'
        : `${decibels.toFixed(1)} dB like the CPU’s (at least ${alike})`,
    right: decibels >= alike,
  });
  tell({ what: 'Time', found: `${found.seconds.toFixed(2)} s, the CPU ${expected.seconds.toFixed(2)} s` });
}

/** Draws a picture of a model with random weights, and reports the time and the memory in use. `words`: whose tokenizer is used. */
export async function timePicture(model: Model, words: Model, options: PictureOptions): Promise<void> {
  const { size, steps, tell } = options;
  const what = `A picture of ${size}², ${steps} steps, with guidance`;
  if (tell.told?.has(what)) return;
  const before = await memoryInUse();
  const { seconds } = await draw(model, options, await lentTokenizer(words, model));
  const after = await memoryInUse();
  tell({
    what,
    found: `${seconds.toFixed(1)} s, the making of sessions included`,
  });
  if (before && after)
    tell({ what: 'Memory in use at its end', found: gigabytes(after.bytes - before.bytes) });
}

/** A model's tokenizer with as many tokens to a prompt as another has. The published one is not in the archive of the check. */
function lentTokenizer({ tokenizer }: Model, { textEncoder }: Model): Promise<Tokenizer> {
  const folder = tokenizer?.folder ?? '';
  const length = { model_max_length: textEncoder.config.max_position_embeddings };
  return Tokenizer.load(folder, (name) => {
    const file = join(folder, name);
    if (!existsSync(file)) return Promise.resolve(undefined);
    if (name !== 'tokenizer_config.json') return Promise.resolve(readText(file));
    return Promise.resolve(JSON.stringify({ ...(readJson(file) as object), ...length }));
  });
}

async function draw(
  model: Model,
  { provider, size, steps, precision = 'f32' }: PictureOptions,
  tokenizer?: Tokenizer,
): Promise<{ readonly picture: Picture; readonly seconds: number }> {
  const words = tokenizer ?? (await openTokenizer(model));
  const pipeline = new TextToImage(model, words, { provider, precision });
  const started = performance.now();
  try {
    const sampling = { steps, guidance: 7.5, width: size, height: size, scheduler: 'ddim' } as const;
    for await (const { picture } of pipeline.generate([{ prompt: 'a photo of a dog', seed: 1 }], sampling))
      return { picture, seconds: (performance.now() - started) / 1000 };
    throw new Error('no picture was drawn');
  } finally {
    await pipeline.dispose();
  }
}

/** Peak signal to noise ratio in dB. */
function likeness({ data: a }: Picture, { data: b }: Picture): number {
  let squares = 0;
  for (let i = 0; i < b.length; i++) squares += ((a[i] as number) - (b[i] as number)) ** 2;
  return 10 * Math.log10((255 ** 2 * b.length) / squares);
}
