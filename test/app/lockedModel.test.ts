import { closeSync, cpSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openModel } from '../../src-main/engine/checkpoints/openModel.ts';
import type { Served } from '../../src-main/serve.ts';
import { pictures } from '../pictureRequest.ts';
import { buildStudio, Client, newLibrary, removeLibraries, serveLibrary } from './served.ts';

const folder = newLibrary();
const model = path.join(folder, '..', 'my model');
let studio: Served;
let client: Client;

beforeAll(async () => {
  cpSync(path.resolve(import.meta.dirname, '../golden/fixtures/models/tiny-sd1'), model, { recursive: true });
  buildStudio();
  studio = await serveLibrary(folder);
  client = await Client.open(studio.url);
}, 600_000);
afterAll(async () => {
  client.close();
  await studio.close();
  removeLibraries();
});

it(
  'a model that changed after it was added is refused, until it is added again',
  { timeout: 300_000 },
  async () => {
    const add = async (): Promise<number> => {
      const { jobId } = await client.ask('models.import', { path: model });
      expect(await client.ended(jobId)).toMatchObject({ state: 'done', error: null });
      return (await client.ask('models.list', {})).at(-1)?.id ?? 0;
    };
    const draw = async (modelId: number) => {
      const { jobId } = await client.ask('generation.start', pictures({ modelId }));
      return client.ended(jobId);
    };
    const modelId = await add();
    expect(await draw(modelId)).toMatchObject({ state: 'done', error: null });

    const weight = openModel(model).unet.weights.get('mid_block.resnets.0.conv1.weight');
    const file = openSync(weight?.file ?? '', 'r+');
    writeSync(file, new Uint8Array(4), 0, 4, (weight?.offset ?? 0) + 4000);
    closeSync(file);
    const refused = await draw(modelId);
    expect(refused).toMatchObject({ state: 'failed', error: { code: 'model.changed' } });
    expect(refused.error?.message).toContain(model);

    expect(await add()).toBe(modelId);
    expect(await draw(modelId)).toMatchObject({ state: 'done', error: null });
  },
);
