import { describe, expect, it } from 'vitest';
import { parseUNetConfig } from '../../../src-main/engine/models/parseConfig.ts';
import { blockCosts, unetCost } from '../../../src-main/engine/models/unetCost.ts';

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

// Parameters as the models' cards have them; operations counted by hooks on diffusers' modules at 64×64 latents.
describe('cost of a U-Net call', () => {
  it.each([
    ['SD 1.4', sd1, 859_520_964, 338.6, 63.0],
    ['BK-SDM-Base', bk, 579_384_964, 223.7, 37.8],
    ['BK-SDM-Small', { ...bk, mid_block_type: null }, 482_346_884, 217.6, 37.8],
    ['BK-SDM-Tiny', tiny, 323_384_964, 205.0, 37.8],
  ])('%s', (_, raw, parameters, layers, attention) => {
    const config = parseUNetConfig(raw, 'config.json');
    const { parameters: counted, macs } = unetCost(config);
    expect(counted).toBe(parameters);
    expect(macs.layers / 1e9).toBeCloseTo(layers, 1);
    expect(macs.attention / 1e9).toBeCloseTo(attention, 1);
  });

  it('is that of its blocks, and of what lies between them', () => {
    const config = parseUNetConfig(sd1, 'config.json');
    const whole = unetCost(config);
    const blocks = [...blockCosts(config).values()];
    const sum = (of: (cost: (typeof blocks)[number]) => number) =>
      blocks.reduce((total, cost) => total + of(cost), 0);
    // Eight pairs and twelve, and the mid block: 97.0 M parameters, as BK-SDM-Small lacks them.
    expect(blocks).toHaveLength(21);
    expect(blockCosts(config).get('mid_block')?.parameters).toBe(579_384_964 - 482_346_884);
    expect(sum(({ macs }) => macs.attention)).toBe(whole.macs.attention);
    const apart = 1 - sum(({ macs }) => macs.layers) / whole.macs.layers;
    expect(apart).toBeGreaterThan(0.01);
    expect(apart).toBeLessThan(0.2);
  });
});
