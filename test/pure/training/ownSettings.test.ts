import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { finetuneSettings, type AskedFinetune } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import { ownPlaces, ownScenes, ownSettings } from '../../../src-main/features/training/ownSettings.ts';

const model = mkdtempSync(join(tmpdir(), 'likeness-own-'));
afterAll(() => rmSync(model, { recursive: true }));
const write = (own: object): void => writeFileSync(join(model, 'likeness.json'), JSON.stringify(own));

it('a model has settings for a method, and others for another', () => {
  write({
    finetune: { method: 'lora', learningRate: 0.001, steps: 320 },
    finetuneBy: { embedding: { learningRate: 0.005 } },
  });
  const settings = (asked: AskedFinetune) =>
    completeSettings(finetuneSettings, asked, {
      ...{ model, size: 64, photos: '/photos', classNoun: 'dog' },
      ...ownSettings(model, asked.method),
    });
  expect(settings({})).toMatchObject({ method: 'lora', learningRate: 0.001, steps: 320 });
  expect(settings({ method: 'embedding' })).toMatchObject({ learningRate: 0.005, steps: 320 });
  expect(settings({ method: 'dora' })).toMatchObject({ method: 'dora', learningRate: 0.001 });
  expect(settings({ method: 'full' })).toMatchObject({ method: 'full', learningRate: 1e-6 });
});

it('a model offers the places that it draws well, and recognises more in photos', () => {
  const scenes = ['in the snow', 'in a kitchen'];
  write({ finetune: { scenes } });
  expect(ownPlaces(model)).toEqual(scenes);
  write({ finetune: { scenes }, places: ['in the snow'] });
  expect(ownPlaces(model)).toEqual(['in the snow']);
  expect(ownScenes(model)).toEqual(scenes);
});

it('a method that there is not is named', () => {
  write({ finetuneBy: { magic: {} } });
  expect(() => ownSettings(model)).toThrow(/likeness\.json.*(magic|finetuneBy)/);
});
