import type { BenchRequest } from '../../features/bench/request.ts';
import type { BenchResult } from '../../features/bench/bench.ts';
import { command } from '../command.ts';
import { benchOptions, benchRequest } from './benchOptions.ts';

export const bench = command({
  name: 'bench',
  summary: 'measure time and memory of a U-Net call or a training step',
  usage: '[--shape SHAPE|--model PATH] [--part PART] [OPTIONS]',
  examples: [
    'likeness bench --shape bk-sdm-tiny --part lora',
    'likeness bench --shape bk-sdm-tiny --part distill --batch 1 --latents 32',
    'likeness bench --model stable-diffusion-v1-5 --part forward --latents 64 --batch 2 --repeat 5',
  ],
  options: benchOptions,
  request: benchRequest,
  run: async (request, context) => {
    const { bench } = await import('../../features/bench/bench.ts');
    const result = await bench(request, context);
    return { fields: { ...result }, text: describe(request, result) };
  },
});

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
