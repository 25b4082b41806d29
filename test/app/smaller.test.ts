import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Served } from '../../src-main/serve.ts';
import { pictures } from '../pictureRequest.ts';
import { buildStudio, Client, newLibrary, removeLibraries, serveLibrary } from './served.ts';

const teacher = path.resolve(import.meta.dirname, '../golden/fixtures/models/tiny-sd1');
const folder = newLibrary();
let studio: Served;
let client: Client;

beforeAll(async () => {
  buildStudio();
  studio = await serveLibrary(folder);
  client = await Client.open(studio.url);
}, 600_000);
afterAll(async () => {
  client.close();
  await studio.close();
  removeLibraries();
});

it('a model is weighed, made smaller, distilled, and the results draw', { timeout: 600_000 }, async () => {
  const done = async ({ jobId }: { jobId: number }): Promise<void> => {
    expect(await client.ended(jobId)).toMatchObject({ state: 'done', error: null });
  };
  await done(await client.ask('models.import', { path: teacher, name: 'Teacher' }));
  const teacherId = (await client.ask('models.list', {})).at(-1)?.id ?? 0;

  expect(await client.ask('compression.advice', { modelId: teacherId })).toBe(null);
  await done(await client.ask('compression.advise', { modelId: teacherId }));
  expect(client.events('compression.advised')).toEqual([{ modelId: teacherId }]);
  const advice = await client.ask('compression.advice', { modelId: teacherId });
  expect(advice?.blocks.length).toBeGreaterThan(3);
  expect(advice?.students.map(({ name }) => name)).toContain('bk-base');
  expect(advice?.blocks.every(({ change, saves }) => change > 0 && saves.parameters > 0)).toBe(true);

  await done(await client.ask('compression.make', { modelId: teacherId, what: { kind: 'bk-base' } }));
  const [, large, small] = await client.ask('models.list', {});
  expect(small).toMatchObject({ name: 'Teacher, Base', source: 'made', available: true, problems: [] });
  expect(small?.parameters).toBeLessThan(large?.parameters ?? 0);

  const data = path.join(folder, '..', 'captioned');
  mkdirSync(data);
  for (const [i, background] of ['red', 'green'].entries()) {
    await sharp({ create: { width: 64, height: 64, channels: 3, background } })
      .png()
      .toFile(path.join(data, `${i}.png`));
    writeFileSync(path.join(data, `${i}.txt`), `a ${background} square`);
  }
  const studentId = small?.id ?? 0;
  await done(await client.ask('compression.distill', { teacherId, studentId, data, steps: 2, batch: 1 }));
  const distilled = (await client.ask('models.list', {})).at(-1);
  expect(distilled).toMatchObject({
    name: 'Teacher, Base, distilled',
    source: 'made',
    parameters: small?.parameters,
  });

  await done(await client.ask('generation.start', pictures({ modelId: distilled?.id ?? 0 })));
  const refused = await client.ask('compression.make', { modelId: teacherId, what: { blocks: ['no.such'] } });
  expect(await client.ended(refused.jobId)).toMatchObject({
    state: 'failed',
    error: { code: 'compress.unknownBlock' },
  });
});
