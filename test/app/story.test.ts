import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Served } from '../../src-main/serve.ts';
import { pictures } from '../pictureRequest.ts';
import { buildStudio, Client, enter, newLibrary, removeLibraries, serveLibrary } from './served.ts';

const folder = newLibrary();
let studio: Served;
let client: Client;

/** Every socket of this process and of its workers, from the start of the story. */
const counter = path.join(import.meta.dirname, 'countSockets.cjs');
const seen = path.join(mkdtempSync(path.join(tmpdir(), 'likeness-sockets-')), 'seen');

beforeAll(async () => {
  buildStudio();
  process.env['SOCKETS_SEEN'] = seen;
  process.env['NODE_OPTIONS'] = `--require ${JSON.stringify(counter)}`;
  createRequire(import.meta.url)(counter);
  studio = await serveLibrary(folder);
  client = await Client.open(studio.url);
}, 600_000);
afterAll(async () => {
  client.close();
  await studio.close();
  delete process.env['NODE_OPTIONS'];
  rmSync(path.dirname(seen), { recursive: true });
  removeLibraries();
});

it(
  'photos, training, pictures, a favourite, an export, a restart: all still there',
  { timeout: 1_200_000 },
  async () => {
    const subject = await client.ask('subjects.createSample', {});
    const { photos, report } = await client.ask('photos.list', { subjectId: subject.id });
    expect(photos).toHaveLength(5);
    expect(report.ready).toBe(true);
    const twice = await client.ask('photos.addPaths', {
      subjectId: subject.id,
      paths: [path.join(folder, subject.folder, 'photos', photos[0]?.name ?? '')],
    });
    expect(twice).toMatchObject({ added: [], duplicates: [{ photoId: photos[0]?.id }] });
    await client.ask('photos.setCrop', { id: photos[0]?.id ?? 0, crop: { x: 10, y: 20, side: 300 } });

    const [model] = await client.ask('models.list', {});
    expect(model).toMatchObject({ source: 'shipped', available: true });
    const tried = await client.ask('training.measure', { subjectId: subject.id, modelId: null });
    expect(await client.ended(tried.jobId)).toMatchObject({ state: 'done', error: null });
    const presets = await client.ask('training.presets', { subjectId: subject.id, modelId: null });
    expect(presets.map(({ name }) => name)).toEqual(['quick', 'balanced', 'thorough']);
    expect(presets.every(({ measured, fits }) => measured && fits)).toBe(true);
    const [quick = 0, balanced = 0, thorough = 0] = presets.map(({ seconds }) => seconds ?? 0);
    expect(0 < quick && quick < balanced && balanced < thorough).toBe(true);
    expect(presets[0]?.memory).toBeGreaterThan(1e8);

    const run = await client.ask('training.start', {
      subjectId: subject.id,
      modelId: null,
      preset: 'quick',
      changes: { steps: 4, checkpointEvery: 2, sampleEvery: 4, prior: null },
    });
    expect(await client.ended(run.jobId ?? 0)).toMatchObject({ state: 'done', error: null });
    const trained = await client.ask('training.run', { id: run.id });
    expect(trained.run).toMatchObject({ state: 'done', step: 4 });
    expect(trained.checkpoints.map(({ step }) => step)).toEqual([2, 4]);
    expect(trained.curve.steps).toEqual([1, 2, 3, 4]);
    expect(client.events('training.step').map(({ step }) => step)).toEqual([1, 2, 3, 4]);

    const again = await client.ask('training.rerun', { id: run.id });
    expect(await client.ended(again.jobId ?? 0)).toMatchObject({ state: 'done', error: null });
    const repeated = await client.ask('training.run', { id: again.id });
    expect(repeated.rerun).toEqual({ name: run.name, same: true, changed: [] });
    expect(repeated.run).toMatchObject({ state: 'done', step: 4, settings: trained.run.settings });

    const asked = await client.ask(
      'generation.start',
      pictures({
        prompts: [`a photo of sks ${subject.classNoun} {in the snow|on a beach}`],
        mixes: [[{ runId: run.id, step: null, weight: 1 }]],
        ...{ seed: 11, count: 2 },
      }),
    );
    expect(asked.total).toBe(4);
    expect(await client.ended(asked.jobId)).toMatchObject({ state: 'done', error: null });
    expect(client.events('generation.preview')[0]).toMatchObject({ jobId: asked.jobId, step: 1, steps: 2 });
    const { images } = await client.ask('gallery.page', { filter: { text: 'beach' } });
    expect(images.map(({ seed }) => seed).sort()).toEqual([11, 12]);
    const likest = (await client.ask('gallery.page', { filter: { minScore: 0.01 }, order: 'score' })).images;
    const likeness = likest.map(({ score }) => score ?? 0);
    expect(likeness).toHaveLength(4);
    expect(likeness).toEqual([...likeness].sort((a, b) => b - a));
    await client.ask('gallery.favourite', { ids: [images[0]?.id ?? 0], favourite: true });

    const { jobId } = await client.ask('exports.start', {
      runId: run.id,
      step: 2,
      format: 'kohya',
      dtype: null,
    });
    expect(await client.ended(jobId)).toMatchObject({ state: 'done', error: null });

    const { undo } = await client.ask('gallery.remove', { ids: [images[1]?.id ?? 0] });
    expect(await client.ask('trash.undo', { undo })).toEqual({ restored: 1 });

    client.close();
    await studio.close();
    studio = await serveLibrary(folder);
    client = await Client.open(studio.url);
    const { origin, cookie } = await enter(studio.url);
    expect(await client.ask('gallery.ids', {})).toHaveLength(4);
    const [favourite, ...others] = (await client.ask('gallery.page', { filter: { favourite: true } })).images;
    expect(favourite?.id).toBe(images[0]?.id);
    expect(others).toEqual([]);
    const thumbnail = await fetch(`${origin}/files/image/${favourite?.id}?w=96`, { headers: { cookie } });
    expect(thumbnail.headers.get('content-type')).toBe('image/webp');
    const [exported] = await client.ask('exports.list', {});
    expect(exported?.tensors).toBeGreaterThan(0);
    expect(existsSync(path.join(folder, exported?.path ?? ''))).toBe(true);

    expect(await client.ask('system.offline', {})).toEqual({ locked: true, refused: [], opened: 0 });
    const sockets = readFileSync(seen, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { pid: number; what: string; address: string | null });
    // The look at photos, try-out, training twice, pictures, export: a process each, and this one.
    expect(new Set(sockets.map(({ pid }) => pid)).size).toBe(7);
    const connected = sockets.filter(({ what }) => what !== 'loaded');
    expect(connected.length).toBeGreaterThan(0);
    expect(connected.filter(({ address }) => address !== '127.0.0.1')).toEqual([]);
    expect(connected.filter(({ pid }) => pid !== process.pid)).toEqual([]);
  },
);
