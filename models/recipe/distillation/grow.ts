import { blocksOfKind, planRemoval, teacherName } from '../../../src-main/engine/checkpoints/blockRemoval.ts';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import { expectTensor, readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import { parseUNetConfig } from '../../../src-main/engine/models/parseConfig.ts';
import { unetShapes } from '../../../src-main/engine/models/unetCost.ts';
import { elementCount, f32, type HostTensor, type Shape } from '../../../src-main/engine/tensor/tensor.ts';
import { generatorFor } from '../../../src-main/engine/tensor/seeded.ts';
import { startValue } from '../pretrain.ts';

export interface NewUNet {
  readonly config: Readonly<Record<string, unknown>>;
  /** Its weights by diffusers' names. */
  readonly weights: ReadonlyMap<string, HostTensor<'f32'>>;
}

/**
 * The shipped U-Net, which has the shape of a Tiny student, with what Tiny lacks: a second pair in each stage, a stage further in and a
 * mid block. The new residual branches do nothing at first, and what goes through the new stage is its average of 2×2, so that it
 * begins near what the shipped one computes.
 */
export function grownTeacher(base: Model): NewUNet {
  const raw = JSON.parse(base.unet.configText) as Record<string, unknown>;
  const { down_block_types: down, up_block_types: up, block_out_channels: channels } = base.unet.config;
  const config = {
    ...raw,
    down_block_types: [...down, 'DownBlock2D'],
    up_block_types: ['UpBlock2D', ...up],
    block_out_channels: [...channels, channels.at(-1)],
    layers_per_block: 2,
    mid_block_type: 'UNetMidBlock2DCrossAttn',
  };
  const parsed = parseUNetConfig(config, base.path);
  const removal = planRemoval(parsed, blocksOfKind('bk-tiny', parsed, base.path));
  const known = new Map(
    [...unetShapes(base.unet.config)].map(([name, shape]) => [
      teacherName(name, removal),
      () => readF32(expectTensor(base.unet.weights, name, shape)),
    ]),
  );
  const weights = new Map(
    [...unetShapes(parsed)].map(([name, shape]) => [name, known.get(name)?.() ?? idle(name, shape)]),
  );
  return { config, weights };
}

/** As a U-Net of that shape is started from scratch. */
export function untrained({ unet }: Model, seed: number): NewUNet {
  const weights = [...unetShapes(unet.config)].map(
    ([name, shape]) =>
      [name, startValue(`unet.${name}`, shape, generatorFor(seed, `scratch ${name}`))] as const,
  );
  return {
    config: JSON.parse(unet.configText) as Record<string, unknown>,
    weights: new Map(weights),
  };
}

/**
 * Residual branches start at zero; a shortcut passes on what comes from below and leaves the skip connection out; a new downsampler
 * takes means, a new upsampler repeats.
 */
function idle(name: string, shape: Shape): HostTensor<'f32'> {
  const taps = passing.find(([end]) => name.endsWith(end))?.[1];
  if (!taps) return startValue(`unet.${name}`, shape, generatorFor(1, `grown ${name}`));
  const [outputs = 0, inputs = 0, height = 1, width = 1] = shape;
  const values = new Float32Array(elementCount(shape));
  for (let i = 0; i < outputs; i++)
    for (const tap of taps) values[(i * inputs + i) * height * width + tap] = 1 / taps.length;
  return f32(shape, values);
}

/** Ends of names, and the places of the kernel through which values pass: of 3×3 with stride 2 and padding 1, those on the 2×2. */
const passing: readonly (readonly [end: string, taps: readonly number[]])[] = [
  ['conv_shortcut.weight', [0]],
  ['downsamplers.0.conv.weight', [4, 5, 7, 8]],
  ['upsamplers.0.conv.weight', [4]],
];
