import {
  benchDefaults as defaults,
  benchParts,
  benchShapes,
  type BenchRequest,
} from '../../features/bench/request.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { choice, file, integer, type Given } from '../options.ts';
import { defined, provider, refuseTogether } from '../shared.ts';

export const benchOptions = {
  shape: choice(benchShapes, 'random weights of this shape', { fallback: defaults.source.shape }),
  model: file('PATH', 'a model, in place of a shape'),
  part: choice(benchParts, 'a U-Net call, or a step of a LoRA, a full finetune or a distillation', {
    fallback: defaults.part,
  }),
  teacher: file('PATH', 'whom a distillation learns from', { fallback: 'random weights, SD 1 or 2' }),
  latents: integer('N', 'side of the square latents', {
    min: 8,
    max: 512,
    multipleOf: 8,
    fallback: defaults.latents,
  }),
  batch: integer('N', 'latents at once; in training half of them the subject, half its class', {
    min: 1,
    max: 256,
    fallback: defaults.batch,
  }),
  repeat: integer('N', 'how often to measure', { min: 1, max: 10_000, fallback: defaults.repeat }),
  threads: integer('N', 'threads to compute with', { min: 1, max: 1024, fallback: 'one a core' }),
  provider: provider(defaults.provider),
};

export function benchRequest({ shape, model, ...given }: Given<typeof benchOptions>): BenchRequest {
  if (model !== undefined) refuseTogether('--model', { '--shape': shape }, 'the model has its own shape');
  const source = model === undefined ? { shape: shape ?? defaults.source.shape } : { model };
  const { part, teacher, latents, batch, repeat, threads, provider } = given;
  if (part !== 'distill')
    refuseTogether(
      '--teacher',
      { '--part': teacher && (part ?? defaults.part) },
      'only a distillation has a teacher',
    );
  if ((part === 'lora' || part === 'full') && batch !== undefined && batch % 2) {
    const expected = 'even: half of a training batch is the subject, half its class';
    throw problem('usage.badValue', { option: '--batch', value: String(batch), expected });
  }
  return { ...defaults, source, ...defined({ part, teacher, latents, batch, repeat, threads, provider }) };
}
