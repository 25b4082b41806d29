import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AskedFinetune } from '../../../../src-shared/domain/finetuneSettings.ts';
import { finetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../../src-shared/domain/settingValues.ts';
import type { JobEvent } from '../../../../src-shared/domain/jobEvents.ts';
import { openModel } from '../../../../src-main/engine/checkpoints/openModel.ts';
import { drawFromShapes } from '../../../../src-main/engine/training/data/dataset.ts';
import { subjectDatasets } from '../../../../src-main/engine/training/data/finetuneBatches.ts';
import { finetune } from '../../../../src-main/features/training/finetune.ts';

const scratch = mkdtempSync(join(tmpdir(), 'likeness-buckets-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const photos = join(scratch, 'photos');
const model = resolve('test/golden/fixtures/models/tiny-bk');

beforeAll(async () => {
  mkdirSync(join(photos, 'masks'), { recursive: true });
  const draw = (name: string, width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: 'olive' } })
      .composite([
        { input: { create: { width: 8, height: 8, channels: 3, background: 'red' } }, left: 4, top: 4 },
      ])
      .png()
      .toFile(join(photos, name));
  await draw('square.png', 40, 40);
  await draw('wide-1.png', 64, 40);
  await draw('wide-2.png', 80, 50);
  await draw('tall.png', 40, 64);
  await sharp({ create: { width: 64, height: 40, channels: 3, background: 'black' } })
    .composite([
      { input: { create: { width: 32, height: 40, channels: 3, background: 'white' } }, left: 0, top: 0 },
    ])
    .png()
    .toFile(join(photos, 'masks', 'wide-1.png'));
});

const settings = {
  ...({ model, photos, classNoun: 'brick', size: 32, steps: 4, provider: 'cpu', buckets: true } as const),
  ...{ lora: { rank: 1 }, textLora: { rank: 1 }, checkpointEvery: 2, sampleEvery: 99, learningRate: 1e-3 },
  prior: false,
} satisfies AskedFinetune;

const datasets = async (more: AskedFinetune = {}) => {
  const [made] = await subjectDatasets(
    openModel(model),
    completeSettings(finetuneSettings, { ...settings, ...more }, { model, size: 32 }),
    1000,
    join(scratch, 'cache'),
    { report: () => undefined, signal: new AbortController().signal },
  );
  return made;
};

describe('aspect buckets', { timeout: 240_000 }, () => {
  it('keep photos of one shape together; each is shown as often as the others', async () => {
    const made = await datasets();
    expect(made.map(({ latents, subject }) => [latents.slice(1), subject.length])).toEqual([
      [[4, 4], 1],
      [[5, 3], 1],
      [[3, 5], 2],
    ]);
    const shapes = Array.from({ length: 8 }, (_, index) =>
      drawFromShapes(made, index).latents.shape.slice(2),
    );
    for (const epoch of [shapes.slice(0, 4), shapes.slice(4)])
      expect(epoch.map(String).sort()).toEqual(['3,5', '3,5', '4,4', '5,3']);
    expect(drawFromShapes(made, 5)).toEqual(drawFromShapes(made, 5));
  });

  it('cut masks with their photos, and class pictures to the same shapes', async () => {
    const made = await datasets({ prior: { classImages: 1 }, batch: 2 });
    const wide = made.find(({ latents }) => latents[2] === 5);
    expect(wide?.subject[0]?.lossWeights).toHaveLength(15);
    for (let index = 0; index < 3; index++) {
      const { latents, lossWeights } = drawFromShapes(made, index);
      expect(latents.shape[0]).toBe(4);
      expect(lossWeights?.shape).toEqual([2, 1, ...latents.shape.slice(2)]);
    }
  });

  it('train, are interrupted and go on to the same losses', async () => {
    const run = async (out: string, stopAfter?: number) => {
      const losses: number[] = [];
      const said: string[] = [];
      const stop = new AbortController();
      const report = (event: JobEvent): void => {
        if ('message' in event) said.push(event.message);
        if (event.type !== 'step') return;
        losses.push(event.loss);
        if (event.step === stopAfter) stop.abort(new Error('stopped'));
      };
      await finetune(
        { out: join(scratch, out), resume: true, settings },
        { report, signal: stop.signal },
        'test',
      ).catch((error: unknown) => expect(error).toMatchObject({ message: 'stopped' }));
      return { losses, said: said.join('\n') };
    };
    const whole = await run('whole');
    expect(whole.losses).toHaveLength(4);
    expect(whole.said).toContain('3 shapes: 1 of 32×32, 1 of 24×40, 2 of 40×24');
    const stopped = await run('stopped', 2);
    const resumed = await run('stopped');
    expect([...stopped.losses, ...resumed.losses]).toEqual(whole.losses);
    const weights = (out: string) =>
      readFileSync(join(scratch, out, 'checkpoints', '000004', 'unet', 'adapter_model.safetensors'));
    expect(weights('stopped')).toEqual(weights('whole'));
  });
});
