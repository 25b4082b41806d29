import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { JobEvent } from '../../../../src-shared/domain/jobEvents.ts';
import { RunFolder } from '../../../../src-main/engine/training/run/runFolder.ts';
import { finetune } from '../../../../src-main/features/training/finetune.ts';
import { ownScenes } from '../../../../src-main/features/training/ownSettings.ts';
import { photoScenes } from '../../../../src-main/features/training/photoScenes.ts';

const model = resolve('models/likeness-mini');
const photos = resolve('resources/sample-subject');
const scratch = mkdtempSync(join(tmpdir(), 'likeness-scenes-'));
const quiet = { report: () => undefined, signal: new AbortController().signal };
afterAll(() => rmSync(scratch, { recursive: true }));

const wordings: Readonly<Record<string, string>> = {
  park: 'on the grass',
  'wood-floor': 'on a wooden floor',
  city: 'in the city',
  table: 'on a table',
  beach: 'on the beach',
};

describe('the places of photos', { timeout: 300_000 }, () => {
  it('are mostly those that the sample subject was photographed at', async () => {
    const { scenes } = JSON.parse(readFileSync(join(photos, 'subject.json'), 'utf8')) as { scenes: string[] };
    const found = await photoScenes({ model, photos, classNoun: 'potted plant' }, ownScenes(model), quiet);
    const right = Object.values(found ?? {}).filter((scene, i) => scene === wordings[scenes[i] ?? '']);
    expect(Object.keys(found ?? {})).toHaveLength(scenes.length);
    expect(right.length).toBeGreaterThanOrEqual(scenes.length / 2);
  });

  it('are none for a model that cannot tell', async () => {
    const bare = join(scratch, 'bare');
    cpSync(model, bare, { recursive: true });
    rmSync(join(bare, 'scorer'), { recursive: true });
    expect(
      await photoScenes({ model: bare, photos, classNoun: 'bear' }, ownScenes(bare), quiet),
    ).toBeUndefined();
    expect(ownScenes(resolve('test/golden/fixtures/models/tiny-sd1'))).toEqual([]);
  });

  describe('in a run', () => {
    const losses: Record<string, number> = {};
    const settingsOf: Record<string, FinetuneSettings> = {};
    beforeAll(async () => {
      for (const [name, own] of Object.entries({ told: {}, untold: { photoScenes: {} } })) {
        const out = join(scratch, name);
        const report = (event: JobEvent): void => {
          if (event.type === 'step') losses[name] = event.loss;
        };
        // The photos themselves, so that the first step shows one with its place.
        const more = { steps: 1, prior: false as const, newPlaces: false };
        const settings = { model, photos, classNoun: 'potted plant', ...more, ...own };
        await finetune({ out, resume: false, settings }, { ...quiet, report }, 'test');
        settingsOf[name] = new RunFolder(out).describe().settings;
      }
    }, 300_000);

    it('are kept with it and said in its prompts', () => {
      expect(Object.keys(settingsOf['told']?.photoScenes ?? {})).toHaveLength(5);
      expect(settingsOf['untold']?.photoScenes).toEqual({});
      expect(losses['told']).not.toBe(losses['untold']);
    });
  });
});
