import { describe, expect, it } from 'vitest';
import { stepMemory } from '../../../src-main/engine/training/run/stepMemory.ts';
import { diffusionLoss } from '../../../src-main/engine/training/loss/diffusionLoss.ts';
import { whatToTrain } from '../../../src-main/engine/training/loss/parameters.ts';
import { modelOfShape } from '../../../src-main/features/bench/randomModel.ts';
import { shapeConfigs } from '../../../src-main/features/bench/shapes.ts';

/** The seed's LoRA step: prior preservation (batch 2), text encoder too, 512². */
function loraStep(shape: keyof typeof shapeConfigs) {
  const model = modelOfShape(shape, shapeConfigs[shape]);
  const trained = whatToTrain(model, {
    method: 'lora',
    lora: { rank: 16, alpha: 27, targets: ['to_q', 'to_v'] },
    textLora: { rank: 16, alpha: 17, targets: ['q_proj', 'v_proj'] },
    ...{ trainTextEncoder: true, seed: 1 },
  });
  const { loss } = diffusionLoss(model, {
    ...{ batch: 2, latents: [4, 64, 64] as const, prediction: 'epsilon' as const, priorWeight: 1 },
    ...(trained.adapters && { adapters: trained.adapters }),
  });
  return { loss, trained: trained.names };
}

/** [weights and inputs, values at the peak, the same with buffers kept by size] in hundredths of a gigabyte. */
function figures(shape: keyof typeof shapeConfigs): Record<string, number[]> {
  const step = loraStep(shape);
  const entries = (['webgpu', 'device'] as const).flatMap((target) =>
    (['f32', 'f16'] as const).map((stored) => {
      const { held, live, cached } = stepMemory(step, target, stored);
      return [`${target} ${stored}`, [held, live, cached].map((bytes) => Math.round(bytes / 1e7) / 100)];
    }),
  );
  return Object.fromEntries(entries) as Record<string, number[]>;
}

describe('the memory of a LoRA step, before anything was measured', () => {
  it('of SD 1', () => {
    expect(figures('sd1')).toMatchInlineSnapshot(`
      {
        "device f16": [
          2.08,
          2.1,
          4.17,
        ],
        "device f32": [
          4.14,
          2.1,
          3.93,
        ],
        "webgpu f16": [
          2.09,
          2.1,
          4.2,
        ],
        "webgpu f32": [
          4.16,
          2.1,
          3.97,
        ],
      }
    `);
  }, 120_000);

  it('of BK-SDM-Tiny', () => {
    expect(figures('bk-sdm-tiny')).toMatchInlineSnapshot(`
      {
        "device f16": [
          0.95,
          1.33,
          3.34,
        ],
        "device f32": [
          1.9,
          1.33,
          3.1,
        ],
        "webgpu f16": [
          0.96,
          1.33,
          3.37,
        ],
        "webgpu f32": [
          1.91,
          1.33,
          3.13,
        ],
      }
    `);
  }, 120_000);
});
