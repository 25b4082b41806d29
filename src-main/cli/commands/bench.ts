import {
  type BenchRequest,
  benchDefaults as defaults,
  benchParts,
  benchShapes,
} from '../../features/bench/request.ts';
import type { BenchResult } from '../../features/bench/bench.ts';
import { command } from '../command.ts';
import { badValue, choice, model, integer, type Given } from '../options.ts';
import { defined, provider, refuseTogether } from '../shared.ts';

const options = {
  shape: choice(benchShapes, 'random weights of this shape', { fallback: defaults.source.shape }),
  model: model('PATH', 'a model, in place of a shape'),
  part: choice(benchParts, 'a U-Net call, or a step of a LoRA, a full finetune or a distillation', {
    fallback: defaults.part,
  }),
  teacher: model('PATH', 'what a distillation learns from', { fallback: 'random weights, SD 1 or 2' }),
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
  threads: integer('N', 'threads to compute with', { min: 1, max: 1024, fallback: 'one per core' }),
  provider: provider(defaults.provider),
};

export const bench = command({
  name: 'bench',
  summary: 'measure time and memory of a U-Net call or a training step',
  usage: '[--shape SHAPE|--model PATH] [--part PART] [OPTIONS]',
  examples: [
    'likeness bench --shape bk-sdm-tiny --part lora',
    'likeness bench --shape bk-sdm-tiny --part distill --batch 1 --latents 32',
    'likeness bench --model stable-diffusion-v1-5 --part forward --latents 64 --batch 2 --repeat 5',
  ],
  options,
  request: benchRequest,
  run: async (request, context) => {
    const { bench } = await import('../../features/bench/bench.ts');
    const result = await bench(request, context);
    return { fields: { ...result }, text: describe(request, result) };
  },
});

function benchRequest({ shape, model, ...given }: Given<typeof options>): BenchRequest {
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
    throw badValue('--batch', String(batch), expected);
  }
  return { ...defaults, source, ...defined({ part, teacher, latents, batch, repeat, threads, provider }) };
}

const calls = {
  forward: 'U-Net call',
  lora: 'LoRA step',
  full: 'full step',
  distill: 'distillation step',
} as const;

function describe({ source, part, batch, latents }: BenchRequest, result: BenchResult): string {
  const model = 'shape' in source ? source.shape : source.model;
  const { best, seconds, peakBytes, gflop, gflops, matmulGflops } = result;
  const times = seconds.map((time) => time.toFixed(2)).join(', ');
  return [
    `Measured  ${calls[part]} of ${model}, batch ${batch}, ${latents}×${latents} latents`,
    `Time      ${best.toFixed(2)} s at best (${times})`,
    `Memory    ${(peakBytes / 1e9).toFixed(2)} GB at the peak`,
    `Speed     ${gflops.toPrecision(3)} GFLOP/s (${gflop.toPrecision(3)} GFLOP); a matrix product alone does ${matmulGflops}`,
  ].join('\n');
}
