import { describe, expect, it } from 'vitest';
import { input } from '../../../src-main/engine/graph/build.ts';
import { leaves, type Graph } from '../../../src-main/engine/graph/graph.ts';
import { mixedPrecision } from '../../../src-main/engine/graph/mixedPrecision.ts';
import { parseVaeConfig } from '../../../src-main/engine/models/parseConfig.ts';
import { unet } from '../../../src-main/engine/models/unet.ts';
import { vaeDecode } from '../../../src-main/engine/models/vae.ts';
import { Scope, type ScopeOptions } from '../../../src-main/engine/nn/scope.ts';
import { memoryOf } from '../../../src-main/engine/onnx/deviceMemory.ts';
import type { GraphMemory } from '../../../src-main/engine/onnx/liveness.ts';
import { rowsThatFit, share } from '../../../src-main/engine/pipelines/batchInParts.ts';
import type { LossOptions } from '../../../src-main/engine/training/loss/gradients.ts';
import { stepMemory } from '../../../src-main/engine/training/loss/stepMemory.ts';
import { bytesOf, waysThatFit } from '../../../src-main/engine/training/loss/waysThatFit.ts';
import { diffusionLoss } from '../../../src-main/engine/training/loss/diffusionLoss.ts';
import { whatToTrain, type PartAdapters } from '../../../src-main/engine/training/loss/parameters.ts';
import { elementCount } from '../../../src-main/engine/tensor/tensor.ts';
import { modelOfShape } from '../../../src-main/features/bench/randomModel.ts';
import { shapeConfigs } from '../../../src-main/features/bench/shapes.ts';
import { deviceMemory } from '../../../src-main/studio/training/fit.ts';
import { finetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';

const sd1Vae = parseVaeConfig(
  {
    block_out_channels: [128, 256, 512, 512],
    down_block_types: Array<string>(4).fill('DownEncoderBlock2D'),
    up_block_types: Array<string>(4).fill('UpDecoderBlock2D'),
    layers_per_block: 2,
  },
  'vae/config.json',
);

const loras = {
  lora: { rank: 16, alpha: 27, targets: ['to_q', 'to_v'] },
  textLora: { rank: 16, alpha: 17, targets: ['q_proj', 'v_proj'] },
};

function seedsAdapters(shape: keyof typeof shapeConfigs): NonNullable<PartAdapters['unet']> {
  const model = modelOfShape(shape, shapeConfigs[shape]);
  const how = { method: 'lora', trainTextEncoder: true, seed: 1 } as const;
  const { adapters } = whatToTrain(model, { ...loras, ...how });
  if (!adapters?.unet) throw new Error('a LoRA has adapters');
  return adapters.unet;
}

/** The seed's step: prior preservation (batch 2), text encoder too, 512². */
function seedsStep(
  shape: keyof typeof shapeConfigs,
  method: 'lora' | 'full' = 'lora',
  { batch = 2, side = 64 } = {},
) {
  const model = modelOfShape(shape, shapeConfigs[shape]);
  const trained = whatToTrain(model, {
    ...{ method, ...loras, trainTextEncoder: true, seed: 1 },
  });
  const { loss, between } = diffusionLoss(model, {
    ...{ batch, latents: [4, side, side] as const, prediction: 'epsilon' as const },
    ...(batch > 1 && { priorWeight: 1 }),
    ...(trained.adapters && { adapters: trained.adapters }),
  });
  return { loss, between, trained: trained.names };
}

/** [weights and inputs, values at the peak, what WebGPU takes for them] in hundredths of a gigabyte. */
function figures(shape: keyof typeof shapeConfigs): Record<string, number[]> {
  const step = seedsStep(shape);
  const entries = (['webgpu', 'device'] as const).flatMap((target) =>
    (['f32', 'f16'] as const).map((stored) => {
      const { held, live, cached } = stepMemory(step, target, stored);
      return [`${target} ${stored}`, [held, live, cached].map((bytes) => Math.round(bytes / 1e7) / 100)];
    }),
  );
  return Object.fromEntries(entries) as Record<string, number[]>;
}

const gigabytes = ({ held, live }: GraphMemory): number => (held + live) / 1e9;

describe('the memory of Stable Diffusion 1 in f16, before anything was measured', () => {
  const lora = seedsStep('sd1');

  it.each([
    ['webgpu', 3.8],
    ['device', 4.3],
  ] as const)('lets a LoRA be trained with prior and text encoder on %s in %d GB', (target, most) => {
    const half = stepMemory({ ...lora, precision: 'f16' }, target);
    expect(gigabytes(half)).toBeLessThan(most);
    // Its weights are kept once, whatever type their file has.
    expect(gigabytes(stepMemory({ ...lora, precision: 'f16' }, target, 'f16'))).toBe(gigabytes(half));
    const whole = stepMemory(lora, target, 'f16');
    expect(half.live).toBeLessThan(0.6 * whole.live);
    // Kernels that are turned round for input gradients are a second copy on DirectML.
    expect(half.held).toBeLessThan((target === 'webgpu' ? 1.01 : 1.6) * whole.held);
  });

  it('takes at most 3.8 GB for that on a device of 8 GB by itself, with all that WebGPU keeps', async () => {
    const half = { precision: 'f16', weights: () => undefined } as const;
    const loss: LossOptions = {
      ...{ ...lora, ...half },
      byRow: () => ({
        options: { ...seedsStep('sd1', 'lora', { batch: 1 }), ...half, tight: true },
        rows: () => [],
      }),
    };
    const [way] = await waysThatFit(loss, 8 * 2 ** 30);
    expect(way).toEqual({ oneRow: true, frugal: false });
    expect((await bytesOf(loss, way, 'webgpu')) / 1e9).toBeLessThan(3.8);
    // Where there is plenty, a batch is taken whole.
    expect((await waysThatFit(loss, 12 * 2 ** 30))[0]).toEqual({ oneRow: false, frugal: false });
  }, 120_000);

  it('lets all of it be trained in 12 GB, with the state of the optimizer elsewhere', () => {
    const full = seedsStep('sd1', 'full');
    for (const precision of ['f32', 'f16'] as const)
      expect(
        gigabytes(stepMemory({ ...full, precision }, 'webgpu', 'f16', { offloaded: true })),
      ).toBeLessThan(12);
  }, 120_000);

  it('draws on a device of 8 GB in 2.7 GB, with all that WebGPU keeps', () => {
    const { unet: config } = modelOfShape('sd1', shapeConfigs.sd1);
    // WebGPU computes a U-Net in f32 from weights in f16.
    const bytesOf = (outputs: Graph['outputs'], target: 'webgpu' | 'device' = 'webgpu'): number => {
      if (target === 'device') return halvesOf(outputs, target);
      const { held, cached } = memoryOf({ outputs }, target, { stored: 'f16' });
      return held + cached;
    };
    const halvesOf = (outputs: Graph['outputs'], target: 'webgpu' | 'device'): number => {
      const { held, live, cached } = memoryOf(mixedPrecision({ outputs }, 'f16'), target);
      return held + (target === 'webgpu' ? cached : live);
    };
    const predicted = (rows: number, options: ScopeOptions = {}): Graph['outputs'] => {
      const call = {
        sample: input('sample', [rows, 4, 64, 64]),
        timesteps: input('timesteps', [rows]),
        context: input('context', [rows, 77, 768]),
      };
      return { predicted: unet(Scope.root('unet', options), call, config.config).sample };
    };
    // The two halves of guidance.
    const rows = rowsThatFit(2, share * 8 * 2 ** 30, (count) => bytesOf(predicted(count)));
    expect(bytesOf(predicted(rows)) / 1e9).toBeLessThan(2.7);
    expect(bytesOf(predicted(2), 'device') / 1e9).toBeLessThan(2.7);
    expect(rowsThatFit(2, share * 12 * 2 ** 30, (count) => bytesOf(predicted(count)))).toBe(2);
    // A LoRA's guided by the base model: a U-Net of each would take twice as much, so one serves both.
    const shared = { adapters: seedsAdapters('sd1'), strength: input('strength', []) };
    const alone = bytesOf(predicted(1));
    expect((2 * alone) / (8 * 2 ** 30)).toBeGreaterThan(share);
    expect(bytesOf(predicted(1, shared)) / 1e9).toBeLessThan(2.7);
    expect(bytesOf(predicted(1, shared)) / alone).toBeLessThan(1.03);
    // The U-Net has left the device when the decoder comes.
    const image = vaeDecode(Scope.root('vae'), input('latents', [1, 4, 64, 64]), sd1Vae);
    for (const target of ['webgpu', 'device'] as const)
      expect(halvesOf({ image }, target) / 1e9).toBeLessThan(2.7);
  });
});

describe('the memory of a LoRA step, before anything was measured', () => {
  it('of SD 1', () => {
    expect(figures('sd1')).toMatchInlineSnapshot(`
      {
        "device f16": [
          1.98,
          2.1,
          4.8,
        ],
        "device f32": [
          3.94,
          2.1,
          4.31,
        ],
        "webgpu f16": [
          2.19,
          2.15,
          4.65,
        ],
        "webgpu f32": [
          4.1,
          2.15,
          4.68,
        ],
      }
    `);
  }, 120_000);

  it('of BK-SDM-Tiny', () => {
    expect(figures('bk-sdm-tiny')).toMatchInlineSnapshot(`
      {
        "device f16": [
          0.9,
          1.33,
          3.82,
        ],
        "device f32": [
          1.79,
          1.33,
          3.33,
        ],
        "webgpu f16": [
          1.03,
          1.37,
          3.68,
        ],
        "webgpu f32": [
          1.93,
          1.37,
          3.66,
        ],
      }
    `);
  }, 120_000);
});

it.each(
  (['sd1', 'bk-sdm-tiny'] as const).flatMap((shape) =>
    (['f32', 'f16'] as const).flatMap((precision) =>
      [512, 384].map((size) => [shape, precision, size] as const),
    ),
  ),
)('the presets’ estimate is that of the simulation (%s, %s, %i)', (shape, precision, size) => {
  const step = seedsStep(shape, 'lora', { batch: 1, side: size / 8 });
  const { held, cached } = stepMemory(
    { ...step, precision, frugal: precision === 'f32', tight: true },
    'webgpu',
  );
  const parameters = [...leaves({ outputs: { loss: step.loss } }, 'parameter')]
    .filter(([name]) => !name.includes('.lora_'))
    .reduce((sum, [, { shape: sizes }]) => sum + elementCount(sizes), 0);
  const settings = completeSettings(finetuneSettings, { precision }, { model: '-', size });
  const estimate = deviceMemory(settings, parameters);
  expect(estimate / (held + cached)).toBeGreaterThan(0.93);
  expect(estimate / (held + cached)).toBeLessThan(1.1);
});
