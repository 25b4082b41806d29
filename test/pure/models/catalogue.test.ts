import { describe, expect, it } from 'vitest';
import { catalogue, unetFigures } from '../../../src-shared/domain/catalogue.ts';
import { parseUNetConfig } from '../../../src-main/engine/models/parseConfig.ts';
import { unetCost } from '../../../src-main/engine/models/unetCost.ts';
import { readHubId } from '../../../src-main/features/download/hubCache.ts';
import { outlook } from '../../../src-main/studio/models/outlook.ts';

/** As the published folders' `unet/config.json` have it, where they differ from the library's defaults. */
const version1 = { cross_attention_dim: 768, attention_head_dim: 8 };
const version2 = { cross_attention_dim: 1024, use_linear_projection: true };
const fewer = { layers_per_block: 1 };
const tiny = {
  ...{ ...fewer, mid_block_type: null, block_out_channels: [320, 640, 1280] },
  down_block_types: Array<string>(3).fill('CrossAttnDownBlock2D'),
  up_block_types: Array<string>(3).fill('CrossAttnUpBlock2D'),
};
const configs: Record<keyof typeof unetFigures, object> = {
  sd1: version1,
  base: { ...version1, ...fewer },
  small: { ...version1, ...fewer, mid_block_type: null },
  tiny: { ...version1, ...tiny },
  base2: { ...version2, ...fewer, attention_head_dim: [5, 10, 20, 20] },
  small2: { ...version2, ...fewer, mid_block_type: null, attention_head_dim: [5, 10, 20, 20] },
  tiny2: { ...version2, ...tiny, attention_head_dim: [5, 10, 20] },
};

describe('the catalogue', () => {
  it.each(Object.entries(unetFigures))('says of %s what its shape has', (name, { unet, macs }) => {
    const cost = unetCost(parseUNetConfig(configs[name as keyof typeof configs], name));
    expect(cost.parameters).toBe(unet);
    expect((cost.macs.layers + cost.macs.attention) / macs).toBeCloseTo(1, 3);
  });

  it('has all published BK-SDM models, each once, with size and licence', () => {
    const repositories = catalogue.map(({ repository }) => repository);
    expect(new Set(repositories).size).toBe(repositories.length);
    for (const size of ['base', 'small', 'tiny'])
      for (const name of [`bk-sdm-${size}`, `bk-sdm-${size}-2m`, `bk-sdm-v2-${size}`])
        expect(repositories).toContain(`nota-ai/${name}`);
    for (const { repository, bytes, licence } of catalogue) {
      expect(readHubId(repository)).toEqual({ repository, revision: 'main' });
      expect(bytes).toBeGreaterThan(1e9);
      expect(licence).not.toBe('');
    }
  });

  it('says how long a training takes once something was measured here', () => {
    const [entry] = catalogue;
    if (!entry) return expect.fail();
    expect(outlook(entry, undefined)).toMatchObject({ trainSeconds: null, measuredWith: null });
    const slow = outlook(entry, { training: 100e9, drawing: 200e9, model: 'mini' });
    expect(slow.pictureSeconds).toBeCloseTo((50 * entry.macs) / 200e9, 6);
    // 800 steps of a photo and a class picture, and 200 class pictures first.
    expect(slow.trainSeconds).toBeCloseTo(
      (800 * 2 * 3 * entry.macs) / 100e9 + 200 * (slow.pictureSeconds ?? NaN),
    );
    expect(slow.memory).toBeGreaterThan(entry.parameters * 4);
  });
});
