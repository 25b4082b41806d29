import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { modelOfShape } from '../../../src-main/features/bench/randomModel.ts';
import { shapeConfigs } from '../../../src-main/features/bench/shapes.ts';
import { plannedPrior } from '../../../src-main/features/training/classPlan.ts';
import { finetuneSettings, type AskedFinetune } from '../../../src-shared/domain/finetuneSettings.ts';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';

/** GFLOP/s. */
const speed = vi.hoisted(() => ({ now: 100 }));
vi.mock('../../../src-main/engine/runtime/matmulSpeed.ts', () => ({
  matmulSpeed: () => Promise.resolve(speed.now),
}));
const scratch = mkdtempSync(join(tmpdir(), 'likeness-class-plan-'));
afterAll(() => rmSync(scratch, { recursive: true }));
vi.stubEnv('LIKENESS_CACHE', scratch);

const tiny = openModel(resolve('test/golden/fixtures/models/tiny-bk'));
const { config } = modelOfShape('sd1', shapeConfigs.sd1).unet;
/** A model as large as Stable Diffusion 1 by its config. */
const large: Model = {
  ...tiny,
  unet: { ...tiny.unet, config },
  vae: { ...tiny.vae, config: { ...tiny.vae.config, block_out_channels: [128, 256, 512, 512] } },
};

async function planned(model: Model, prior: AskedFinetune['prior'], size = 512) {
  const told: JobEvent[] = [];
  const asked = { photos: 'none', classNoun: 'dog', provider: 'cpu', ...(prior && { prior }) } as const;
  const settings = completeSettings(finetuneSettings, asked, { model: model.path, size });
  const report = (event: JobEvent): void => void told.push(event);
  const found = await plannedPrior(settings, prior, model, { report });
  return { usual: settings.prior, found, told };
}

it('what class pictures cost is told before the first, where they are made cheaper', async () => {
  const { usual, found, told } = await planned(large, undefined);
  expect(usual).toMatchObject({ classImages: 200, classSteps: 25 });
  expect(found?.classSteps).toBe(12);
  expect(found?.classImages).toBeLessThan(200);
  const [first, ...others] = told;
  expect(others).toEqual([]);
  expect(first).toMatchObject({ type: 'note' });
  const sentence = first?.type === 'note' ? first.message : '';
  expect(sentence).toMatch(/200 class pictures in 25 steps each would take about \d+\.\d h/);
  expect(sentence).toContain(`so ${found?.classImages} class pictures in 12 steps each are made`);
});

it('nothing is told, nor changed, where they take minutes or a person chose', async () => {
  speed.now = 1e5;
  for (const [model, prior] of [
    [tiny, undefined],
    [large, undefined],
    [large, { classImages: 100 }],
    [large, { classSteps: 20 }],
  ] as const) {
    if (prior) speed.now = 100;
    const { usual, found, told } = await planned(model, prior, model === tiny ? 64 : 512);
    expect(found).toEqual(usual);
    expect(told).toEqual([]);
  }
});

it('a model made for few steps makes them in few', async () => {
  const quick = { ...large, scheduler: { ...large.scheduler, _class_name: 'LCMScheduler' } };
  const { found } = await planned(quick, undefined);
  expect(found).toMatchObject({ classImages: 200, classSteps: 4 });
});
