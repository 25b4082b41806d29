import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Run } from '../../src-shared/domain/run.ts';
import { pictures } from '../pictureRequest.ts';
import { buildStudio, Client, newLibrary, removeLibraries } from './served.ts';
import { secondsToEnd, StudioProcess } from './studioProcess.ts';

/** LIKENESS_KILLS: how many processes are killed, main process and workers by turns. */
const kills = Number(process.env['LIKENESS_KILLS'] ?? 2);
const count = 3;
/** LIKENESS_KILLS_MODEL=shipped: the story with the shipped model, which takes its time. */
const isShipped = process.env['LIKENESS_KILLS_MODEL'] === 'shipped';
const steps = isShipped ? 12 : 40;
/** Small and of random weights: the moments are spread over starts, steps and writes, and not over arithmetic. */
const model = path.resolve(import.meta.dirname, '../golden/fixtures/models/tiny-bk');

/** What the studio said is done: none of it may be undone by a crash. */
interface Promised {
  run?: number;
  steps: Set<number>;
  images: Set<number>;
  favourite?: number;
}

beforeAll(buildStudio, 600_000);
afterAll(removeLibraries);

const listed = async (client: Client): Promise<number[]> => client.ask('gallery.ids', {});

/** Takes the story from wherever it is to its end. Crashed jobs are tried again, as a person would. */
async function story(client: Client, promised: Promised): Promise<Run> {
  const ended = async (kind: string): Promise<void> => {
    for (;;) {
      const jobs = (await client.ask('jobs.list', {})).filter((job) => job.kind === kind);
      const crashed = jobs.find(({ state }) => state === 'failed');
      if (crashed) {
        expect(crashed.error?.code).toBe('job.crashed');
        await client.ask('jobs.retry', { id: crashed.id });
      }
      for (const { step } of client.events('training.checkpoint')) promised.steps.add(step);
      for (const { image } of client.events('generation.image')) promised.images.add(image.id);
      if (jobs.length > 0 && jobs.every(({ state }) => state === 'done')) return;
      await wait(50);
    }
  };
  if (!isShipped) {
    if (!(await client.ask('jobs.list', {})).some(({ kind }) => kind === 'import'))
      await client.ask('models.import', { path: model });
    await ended('import');
  }
  const modelId = (await client.ask('models.list', {})).at(-1)?.id ?? null;
  const subject = await client.ask('subjects.createSample', {});
  let [run] = await client.ask('training.runs', {});
  run ??= await client.ask('training.start', {
    ...{ subjectId: subject.id, modelId, preset: 'quick' },
    changes: { steps, checkpointEvery: 4, sampleEvery: null, prior: null, size: 64 },
  });
  promised.run = run.id;
  await ended('train');
  if (!(await client.ask('jobs.list', {})).some(({ kind }) => kind === 'generate'))
    await client.ask(
      'generation.start',
      pictures({
        ...{ prompts: ['a photo of sks potted plant'], modelId, seed: 5, count, steps: 4 },
        mixes: [[{ runId: run.id, step: null, weight: 1 }]],
      }),
    );
  await ended('generate');
  const [first = 0] = await listed(client);
  await client.ask('gallery.favourite', { ids: [first], favourite: true });
  promised.favourite = first;
  if (!(await client.ask('jobs.list', {})).some(({ kind }) => kind === 'export'))
    await client.ask('exports.start', { runId: run.id, step: null, format: 'peft', dtype: null });
  await ended('export');
  return (await client.ask('training.run', { id: run.id })).run;
}

async function keeps(client: Client, promised: Promised): Promise<void> {
  const found = await listed(client);
  for (const id of promised.images) expect(found).toContain(id);
  if (promised.run !== undefined) {
    const { checkpoints } = await client.ask('training.run', { id: promised.run });
    for (const step of promised.steps) expect(checkpoints.map((one) => one.step)).toContain(step);
  }
  if (promised.favourite !== undefined)
    expect((await client.ask('gallery.page', { filter: { favourite: true } })).images[0]?.id).toBe(
      promised.favourite,
    );
}

/** What the run learnt and what was drawn with it, as hashes. */
async function results(client: Client, library: string, run: Run): Promise<Record<string, string>> {
  const hash = (...place: string[]): string =>
    createHash('sha256')
      .update(readFileSync(path.join(library, ...place)))
      .digest('hex');
  const checkpoint = path.join(run.folder, 'checkpoints', String(steps).padStart(6, '0'));
  const made = await Promise.all((await listed(client)).map((id) => client.ask('gallery.detail', { id })));
  return {
    weights: hash(checkpoint, 'unet', 'adapter_model.safetensors'),
    ...Object.fromEntries(
      made.map(({ seed, recipe, file }) => {
        expect(existsSync(path.join(library, file))).toBe(true);
        return [String(seed), JSON.stringify({ ...recipe, loras: recipe?.loras.map((lora) => lora.hash) })];
      }),
    ),
  };
}

function checkDatabase(library: string): void {
  const database = new Sqlite(path.join(library, 'library.sqlite'), { readonly: true });
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(database.pragma('foreign_key_check')).toEqual([]);
  database.close();
}

// Which processes are its workers is read from /proc.
describe.skipIf(process.platform !== 'linux')('kill -9', () => {
  it(
    `of the main process or a worker at ${kills} moments: nothing is lost, and the end is the same`,
    { timeout: 600_000 + kills * 120_000 },
    async () => {
      const calm = newLibrary();
      const first = await StudioProcess.start(calm);
      const undisturbed = await Client.open(first.url);
      const from = performance.now();
      const expected = await results(
        undisturbed,
        calm,
        await story(undisturbed, { steps: new Set(), images: new Set() }),
      );
      const length = performance.now() - from;
      undisturbed.close();
      await first.stop();
      expect(Object.keys(expected)).toHaveLength(1 + count);

      let killed = 0;
      const orphans: number[] = [];
      while (killed < kills) {
        const library = newLibrary();
        const promised: Promised = { steps: new Set(), images: new Set() };
        let done: Run | undefined;
        let studio = await StudioProcess.start(library);
        let client = await Client.open(studio.url);
        while (!done) {
          const ofMain = killed % 2 === 0;
          const moment = Math.random() * length;
          const stop = new AbortController();
          const strike = async (): Promise<'main' | 'worker' | undefined> => {
            await wait(moment, undefined, { signal: stop.signal });
            const workers = studio.workers();
            if (killed >= kills || (!ofMain && workers.length === 0)) return undefined;
            killed++;
            if (!ofMain) {
              for (const pid of workers) process.kill(pid, 'SIGKILL');
              return 'worker';
            }
            await studio.kill();
            orphans.push(await secondsToEnd(workers, 60));
            return 'main';
          };
          const struck = strike().catch(() => undefined);
          try {
            done = await story(client, promised);
          } catch (error) {
            if (!/connection\.lost/.test((error as Error).message)) throw error;
          }
          stop.abort();
          if ((await struck) !== 'main') continue;
          client.close();
          checkDatabase(library);
          studio = await StudioProcess.start(library);
          client = await Client.open(studio.url);
          await keeps(client, promised);
          done = undefined;
        }
        await keeps(client, promised);
        expect(await results(client, library, done)).toEqual(expected);
        client.close();
        await studio.stop();
        checkDatabase(library);
      }
      expect(orphans.length).toBeGreaterThan(0);
      expect(Math.max(...orphans)).toBeLessThan(60);
      if (process.env['LIKENESS_KILLS'] !== undefined)
        console.log(
          `${killed} kills; orphans gone after at most ${Math.max(...orphans).toFixed(2)} s; story ${(length / 1000).toFixed(1)} s`,
        );
    },
  );
});
