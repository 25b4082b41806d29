import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import { input } from '../../../src-main/engine/graph/build.ts';
import { countMacs, weightShapes } from '../../../src-main/engine/models/cost.ts';
import { parseUNetConfig } from '../../../src-main/engine/models/parseConfig.ts';
import { unet } from '../../../src-main/engine/models/unet.ts';
import { Scope } from '../../../src-main/engine/nn/scope.ts';
import { randomModel } from '../../../src-main/features/bench/randomModel.ts';
import { benchShapes } from '../../../src-main/features/bench/request.ts';
import { shapeConfigs } from '../../../src-main/features/bench/shapes.ts';
import { forwardCall, trainingStep } from '../../../src-main/features/bench/workloads.ts';
import { buildPart } from '../../../src-main/engine/training/loss/parameters.ts';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import { elementCount, type FileTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { jsonLines, likeness } from '../../pure/cli/likeness.ts';

const cache = mkdtempSync(path.join(tmpdir(), 'likeness bench '));
afterAll(() => rmSync(cache, { recursive: true }));

const blocks = (kind: string): string[] => Array<string>(2).fill(`CrossAttn${kind}Block2D`);
const small = {
  unet: {
    ...{ block_out_channels: [32, 64], layers_per_block: 1, mid_block_type: null, norm_num_groups: 8 },
    ...{ attention_head_dim: 2, cross_attention_dim: 32, sample_size: 8 },
    ...{ down_block_types: blocks('Down'), up_block_types: blocks('Up') },
  },
  textEncoder: {
    ...{
      hidden_size: 32,
      intermediate_size: 64,
      num_hidden_layers: 2,
      num_attention_heads: 2,
      vocab_size: 300,
    },
  },
};
const size = { batch: 2, latents: 8, provider: 'cpu' } as const;

/** Parameters as the models' cards and diffusers have them. */
const published = {
  sd1: [859_520_964, 123_060_480],
  sd2: [865_910_724, 340_387_840],
  'bk-sdm-base': [579_384_964, 123_060_480],
  'bk-sdm-small': [482_346_884, 123_060_480],
  'bk-sdm-tiny': [323_384_964, 123_060_480],
} as const;

const countParameters = (build: (scope: Scope) => unknown): number =>
  [...weightShapes(build).values()].reduce((count, shape) => count + elementCount(shape), 0);

describe('random models', { timeout: 300_000 }, () => {
  let model: Model;
  const written: string[] = [];
  const make = () => randomModel('small', small, cache, (file) => void written.push(file));
  beforeAll(() => {
    model = make();
  });

  it('are written once and used from their file', () => {
    const file = String(written[0]);
    const { mtimeMs } = statSync(file);
    make();
    expect(written).toHaveLength(1);
    expect(statSync(file).mtimeMs).toBe(mtimeMs);
    expect(readdirSync(path.dirname(file))).toEqual([path.basename(file)]);
    const asked =
      countParameters(buildPart(model, 'unet')) + countParameters(buildPart(model, 'text_encoder'));
    expect(model.unet.weights.parameterCount + model.textEncoder.weights.parameterCount).toBe(asked);
  });

  it('have norms that pass everything, and matrices of variance 1/fan-in without equal rows', () => {
    const read = (name: string): Float32Array => readF32(model.unet.weights.get(name) as FileTensor).data;
    expect([...new Set(read('conv_norm_out.weight'))]).toEqual([1]);
    expect([...new Set(read('conv_norm_out.bias'))]).toEqual([0]);
    const matrix = read('down_blocks.1.resnets.0.conv1.weight');
    const [rows, fanIn] = [64, 32 * 9];
    const variance = matrix.reduce((sum, x) => sum + x * x, 0) / matrix.length;
    expect(variance * fanIn).toBeCloseTo(1, 1);
    const starts = Array.from({ length: rows }, (_, row) => matrix[row * fanIn]);
    expect(new Set(starts).size).toBe(rows);
  });

  it('compute finite numbers, and a training step lowers the loss of its batch', async () => {
    const call = forwardCall(model, size);
    await call.run();
    await call.dispose();
    for (const part of ['lora', 'full'] as const) {
      const step = await trainingStep(model, { ...size, part });
      const losses: (number | undefined)[] = [];
      for (let i = 0; i < 4; i++) losses.push(await step.run());
      await step.dispose();
      expect(losses.every(Number.isFinite)).toBe(true);
      expect(losses.at(-1)).toBeLessThan(losses[0] as number);
      // Forward, then a gradient for activations and, training everything, one for weights.
      const ratio = step.gflop / call.gflop;
      expect(ratio).toBeGreaterThan(part === 'full' ? 2.5 : 1.8);
      expect(ratio).toBeLessThan(part === 'full' ? 4.5 : 3.5);
    }
  });

  it.each(benchShapes)('%s has the published sizes', (shape) => {
    const configs = shapeConfigs[shape];
    const config = parseUNetConfig(configs.unet, shape);
    const context = input('context', [1, 77, config.cross_attention_dim[0] as number]);
    const inputs = {
      sample: input('sample', [1, 4, 64, 64]),
      timesteps: input('timesteps', [1], 'i64'),
      context,
    };
    expect(countParameters((scope) => unet(scope, inputs, config))).toBe(published[shape][0]);
    if (shape === 'bk-sdm-tiny') {
      const { layers, attention } = countMacs({
        outputs: { sample: unet(Scope.root('unet'), inputs, config).sample },
      });
      expect((layers + attention) / 1e9).toBeCloseTo(242.8, 0);
    }
  });
});

describe('likeness bench', { timeout: 300_000 }, () => {
  const model = path.resolve('test/golden/fixtures/models/tiny-bk');

  it.each(['forward', 'lora', 'full', 'distill'])('measures %s', async (part) => {
    const words = [
      'bench',
      '--model',
      model,
      '--part',
      part,
      '--latents',
      '8',
      '--repeat',
      '2',
      '--threads',
      '1',
      ...(part === 'distill' ? ['--teacher', model] : []),
    ];
    const { status, stdout } = await likeness([...words, '--json']);
    expect(status).toBe(0);
    const events = jsonLines(stdout);
    const done = events.at(-1) as Record<string, number> & { seconds: number[] };
    expect(done).toMatchObject({ type: 'done', part });
    expect(done.seconds).toHaveLength(2);
    expect(done['best']).toBe(Math.min(...done.seconds));
    expect(done['gflops']).toBeCloseTo((done['gflop'] as number) / (done['best'] as number), 6);
    expect(done['matmulGflops']).toBeGreaterThan(0.1);
    // A Node process with ONNX Runtime, not more than that: the model has 0.3 M parameters.
    expect(done['peakBytes']).toBeGreaterThan(50e6);
    expect(done['peakBytes']).toBeLessThan(1e9);
    expect(events.filter(({ type }) => type === 'step')).toHaveLength(part === 'forward' ? 0 : 2);
  });

  it('has a teacher in a distillation only', async () => {
    const words = ['bench', '--model', model, '--part', 'lora', '--teacher', model];
    const { status, stderr } = await likeness(words);
    expect([status, stderr.includes('--teacher')]).toEqual([2, true]);
  });

  it('wants both halves of a training batch', async () => {
    const { status, stderr } = await likeness(['bench', '--model', model, '--part', 'lora', '--batch', '3']);
    expect([status, stderr.includes('--batch')]).toEqual([2, true]);
  });
});
