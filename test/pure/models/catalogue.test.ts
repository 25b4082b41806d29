import { describe, expect, it } from 'vitest';
import { catalogue, unetFigures } from '../../../src-shared/domain/catalogue.ts';
import { parseUNetConfig } from '../../../src-main/engine/models/parseConfig.ts';
import { unetCost } from '../../../src-main/engine/models/unetCost.ts';
import { readHubId } from '../../../src-shared/domain/hubId.ts';
import { shippedModel } from '../../../src-main/shipped.ts';
import type { StoredModel } from '../../../src-main/storage/models.ts';
import { measurementKey } from '../../../src-main/studio/training/measurementKey.ts';
import { finetuneSettings, trainingSettingsOf } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import { outlook, paceOf } from '../../../src-main/studio/models/outlook.ts';

/** As the published folders' `unet/config.json` have it, where they differ from the library's defaults. */
const version1 = { cross_attention_dim: 768, attention_head_dim: 8 };
const version2 = { cross_attention_dim: 1024, use_linear_projection: true };
const fewer = { layers_per_block: 1 };
const tiny = {
  ...{ ...fewer, mid_block_type: null, block_out_channels: [320, 640, 1280] },
  down_block_types: Array<string>(3).fill('CrossAttnDownBlock2D'),
  up_block_types: Array<string>(3).fill('CrossAttnUpBlock2D'),
};
const xl = {
  ...{ sample_size: 128, cross_attention_dim: 2048, use_linear_projection: true },
  ...{ addition_embed_type: 'text_time', addition_time_embed_dim: 256 },
  ...{ projection_class_embeddings_input_dim: 2816, attention_head_dim: [5, 10, 20] },
  block_out_channels: [320, 640, 1280],
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
  up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
};
const configs: Record<keyof typeof unetFigures, object> = {
  sd1: version1,
  base: { ...version1, ...fewer },
  small: { ...version1, ...fewer, mid_block_type: null },
  tiny: { ...version1, ...tiny },
  base2: { ...version2, ...fewer, attention_head_dim: [5, 10, 20, 20] },
  small2: { ...version2, ...fewer, mid_block_type: null, attention_head_dim: [5, 10, 20, 20] },
  tiny2: { ...version2, ...tiny, attention_head_dim: [5, 10, 20] },
  xl: { ...xl, transformer_layers_per_block: [1, 2, 10] },
  ssd1b: {
    ...{ ...xl, mid_block_type: 'UNetMidBlock2D' },
    transformer_layers_per_block: [1, [2, 2], [4, 4]],
    reverse_transformer_layers_per_block: [[4, 4, 10], [2, 1, 1], 1],
  },
  vega: {
    ...{ ...xl, mid_block_type: 'UNetMidBlock2D' },
    transformer_layers_per_block: [1, [1, 1], [2, 2]],
    reverse_transformer_layers_per_block: [[2, 2, 2], [1, 1, 1], 1],
  },
  koala1b: { ...xl, ...fewer, transformer_layers_per_block: [1, 2, 6] },
  koala700m: { ...xl, ...fewer, mid_block_type: null, transformer_layers_per_block: [1, 2, 5] },
};

const mini: StoredModel = {
  id: 1,
  name: 'mini',
  source: 'shipped',
  path: shippedModel,
  kind: 'folder',
  family: 'Likeness',
  ...{ hash: 'h', parameters: 15e6, bytes: 3e7, width: 128, height: 128, addedAt: 0, problems: [] },
};

const machine = { bytes: 16e9, device: null };
const card = { bytes: 8e9, device: 'a card' };

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
    for (const name of ['segmind/SSD-1B', 'segmind/Segmind-Vega']) expect(repositories).toContain(name);
    for (const { repository, bytes, licence } of catalogue) {
      expect(readHubId(repository)).toEqual({ repository, revision: 'main' });
      expect(bytes).toBeGreaterThan(1e9);
      expect(licence).not.toBe('');
    }
  });

  it.each(['https://huggingface.co/', 'http://hf.co/', 'huggingface.co/', 'hf.co/', ''])(
    'are read by the addresses of their pages: %s',
    (site) => {
      const repository = 'nota-ai/bk-sdm-small';
      expect(readHubId(site + repository)).toEqual({ repository, revision: 'main' });
      expect(readHubId(`${site}${repository}/tree/v2`)).toEqual({ repository, revision: 'v2' });
    },
  );

  it('says how long a training takes once something was measured here', () => {
    const [entry] = catalogue;
    if (!entry) return expect.fail();
    expect(outlook(entry, undefined, machine)).toMatchObject({ trainSeconds: null, measuredWith: null });
    const pace = { training: 100e9, drawing: 200e9, model: 'mini' };
    const slow = outlook(entry, pace, card);
    expect(slow.pictureSeconds).toBeCloseTo((50 * entry.macs) / 200e9, 6);
    // 800 steps of a photo and a class picture, and 200 class pictures first.
    expect(slow.trainSeconds).toBeCloseTo(
      (800 * 2 * 3 * entry.macs) / 100e9 + 200 * (slow.pictureSeconds ?? NaN),
    );
    expect(slow.memory).toBeGreaterThan(entry.parameters * 4);
    // The CPU makes fewer of them, in an hour at most.
    const onCpu = outlook(entry, pace, machine);
    expect((slow.trainSeconds ?? 0) - (onCpu.trainSeconds ?? 0)).toBeGreaterThan(3600);
  });

  it('takes the pace of large products where a small model was measured', () => {
    const [entry] = catalogue;
    if (!entry) return expect.fail();
    const settings = trainingSettingsOf(
      completeSettings(finetuneSettings, { classNoun: 'dog' }, { size: 128, model: shippedModel }),
    );
    const paceWith = (gflops?: number) =>
      paceOf({
        models: { list: () => [mini] },
        settings: { get: () => ({ provider: 'auto' }) },
        measurements: {
          list: () => [
            {
              ...{ key: measurementKey(mini, 'auto', settings), setup: 1, bytes: 1e9 },
              ...{ secondsPerStep: 0.64, secondsPerPicture: 0.9, ...(gflops && { gflops }) },
            },
          ],
        },
      });
    const [alone, beside] = [paceWith(), paceWith(180)];
    expect(beside).toMatchObject({ training: 90e9, drawing: 90e9, model: 'mini' });
    expect(alone?.training).toBeLessThan(90e9);
    // BK-SDM-Tiny takes 12 s a step and 90 s a picture on the two cores that reach 180 GFLOP/s: hours, not days.
    const days = (outlook(entry, beside, machine).trainSeconds ?? 0) / 86_400;
    expect(days).toBeLessThan(1);
    expect(outlook(entry, alone, machine).trainSeconds).toBeGreaterThan(
      outlook(entry, beside, machine).trainSeconds ?? 0,
    );
  });
});
