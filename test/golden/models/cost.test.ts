import { describe, expect, it } from 'vitest';
import { input } from '../../../src-main/engine/graph/build.ts';
import { countMacs, countParameters } from '../../../src-main/engine/models/cost.ts';
import { parseUNetConfig } from '../../../src-main/engine/models/parseConfig.ts';
import { unet } from '../../../src-main/engine/models/unet.ts';
import { Scope } from '../../../src-main/engine/nn/scope.ts';

const sd1 = {
  _class_name: 'UNet2DConditionModel',
  cross_attention_dim: 768,
  attention_head_dim: 8,
  sample_size: 64,
};
const cross = (blocks: number, kind: 'Down' | 'Up') =>
  Array.from({ length: blocks }, () => `CrossAttn${kind}Block2D`);
const bk = { ...sd1, layers_per_block: 1 };
const tiny = {
  ...bk,
  mid_block_type: null,
  block_out_channels: [320, 640, 1280],
  down_block_types: cross(3, 'Down'),
  up_block_types: cross(3, 'Up'),
};

function costOf(raw: unknown) {
  const config = parseUNetConfig(raw, 'config.json');
  const inputs = {
    sample: input('sample', [1, 4, 64, 64]),
    timesteps: input('timesteps', [1], 'i64'),
    context: input('context', [1, 77, 768]),
  };
  const { sample } = unet(Scope.root('unet'), inputs, config);
  return {
    ...countMacs({ outputs: { sample } }),
    parameters: countParameters((scope) => unet(scope, inputs, config)),
  };
}

// Parameters as the models' cards have them; operations counted by hooks on diffusers' modules at 64×64 latents.
describe('cost of a U-Net call', () => {
  it.each([
    ['SD 1.4', sd1, 859_520_964, 338.6, 63.0],
    ['BK-SDM-Tiny', tiny, 323_384_964, 205.0, 37.8],
  ])('%s', (_, raw, parameters, layers, attention) => {
    const cost = costOf(raw);
    expect(cost.parameters).toBe(parameters);
    expect(cost.layers / 1e9).toBeCloseTo(layers, 1);
    expect(cost.attention / 1e9).toBeCloseTo(attention, 1);
  });

  it.each([
    ['BK-SDM-Base', bk, 579.4],
    ['BK-SDM-Small', { ...bk, mid_block_type: null }, 482.3],
  ])('%s', (_, raw, millions) => {
    expect(costOf(raw).parameters / 1e6).toBeCloseTo(millions, 1);
  });
});
