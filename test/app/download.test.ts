import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { download } from '../../src-main/cli/commands/download.ts';
import { modelPlace } from '../../src-main/features/download/hubCache.ts';
import type { Served } from '../../src-main/serve.ts';
import { browserProgram, openBrowser } from './browser.ts';
import { standInHub, type StandInHub } from './standInHub.ts';
import { buildStudio, Client, newLibrary, removeLibraries, serveLibrary } from './served.ts';

const model = path.resolve(import.meta.dirname, '../golden/fixtures/models/tiny-bk');
const weights = 'unet/diffusion_pytorch_model.safetensors';
const folder = newLibrary();
const place = path.join(folder, 'models', 'test--tiny');
let hub: StandInHub;
let studio: Served;
let client: Client;

beforeAll(async () => {
  buildStudio();
  hub = await standInHub(model);
  process.env['HF_ENDPOINT'] = hub.address;
  studio = await serveLibrary(folder);
  client = await Client.open(studio.url);
}, 600_000);
afterAll(async () => {
  client.close();
  await studio.close();
  hub.close();
  delete process.env['HF_ENDPOINT'];
  removeLibraries();
});

const repository = 'test/tiny';
const listed = async (): Promise<string[]> => (await client.ask('models.list', {})).map(({ name }) => name);
const fetched = (file: string): number[] =>
  hub.asked.filter((one) => one.file === file).map(({ from }) => from);

it('is off until it is switched on', async () => {
  const off = { ok: false, error: { code: 'download.off' } };
  expect(await client.call('models.download', { repository })).toMatchObject(off);
  await client.ask('settings.update', { downloads: true });
  expect(await client.call('models.download', { repository })).toMatchObject(off);
  await client.ask('settings.update', { offline: false });
  expect(hub.asked).toEqual([]);
});

it('throws bytes away that are not what was listed', async () => {
  hub.trouble.changed = weights;
  const { jobId } = await client.ask('models.download', { repository });
  expect(await client.ended(jobId)).toMatchObject({ state: 'failed', error: { code: 'download.changed' } });
  delete hub.trouble.changed;
  expect(existsSync(path.join(place, weights))).toBe(false);
  expect(existsSync(path.join(place, `${weights}.part`))).toBe(false);
  expect(await listed()).toEqual(['Likeness mini']);
});

it('stops when the lock is closed, goes on where it was, over cut connections, and ends as a model', async () => {
  hub.asked.length = 0;
  hub.trouble.slow = { file: weights, bytes: 4096 };
  const { jobId } = await client.ask('models.download', { repository });
  while (!existsSync(path.join(place, `${weights}.part`)))
    await new Promise((resolve) => setTimeout(resolve, 10));
  await client.ask('settings.update', { offline: true });
  const state = async (): Promise<string | undefined> =>
    (await client.ask('jobs.list', {})).find(({ id }) => id === jobId)?.state;
  while ((await state()) !== 'paused') await new Promise((resolve) => setTimeout(resolve, 20));
  const { size } = statSync(path.join(place, `${weights}.part`));
  expect(size).toBeGreaterThan(0);

  delete hub.trouble.slow;
  // Cut off more often than a try without progress is repeated.
  const arrived = (bytes: number): boolean => statSync(path.join(place, `${weights}.part`)).size >= bytes;
  hub.trouble.cut = { file: weights, after: 20_000, times: 6, arrived };
  hub.trouble.busy = { file: 'vae/diffusion_pytorch_model.safetensors', status: 503, times: 2 };
  await client.ask('settings.update', { offline: false });
  await client.ask('jobs.resume', { id: jobId });
  expect(await client.ended(jobId)).toMatchObject({ state: 'done', error: null });

  expect(fetched(weights)).toEqual([0, ...[0, 1, 2, 3, 4, 5, 6].map((cuts) => size + cuts * 20_000)]);
  expect(fetched('vae/diffusion_pytorch_model.safetensors')).toEqual([0, 0, 0]);
  // Whole files of the first try are not fetched again.
  expect(fetched('unet/config.json')).toEqual([]);
  expect(readFileSync(path.join(place, weights)).equals(readFileSync(path.join(model, weights)))).toBe(true);
  const [, downloaded] = await client.ask('models.list', {});
  expect(downloaded).toMatchObject({ source: 'downloaded', available: true, path: place, problems: [] });
  const ofUnet = client.events('models.file').filter(({ file }) => file === weights);
  expect(ofUnet.at(-1)).toMatchObject({ jobId, done: ofUnet[0]?.total });
  expect(await client.ask('system.offline', {})).toEqual({ locked: false, refused: [], opened: 0 });
});

it.skipIf(!browserProgram)(
  'is taken by name or address on the Models screen',
  { timeout: 300_000 },
  async () => {
    const served = await serveLibrary(newLibrary());
    const window = await Client.open(served.url);
    const browser = await openBrowser();
    const page = await browser.newPage({ reducedMotion: 'reduce' });
    await page.goto(`${served.url}#/models`);
    const field = page.getByRole('textbox', { name: 'Another model of the Hub' });
    const press = (name: string): Promise<void> => page.getByRole('button', { name }).click();
    await field.fill('no name');
    await field.press('Enter');
    await page.getByText('“no name” names no model.').waitFor();
    await field.fill('https://huggingface.co/test/tiny');
    await press('Download Another model of the Hub');
    await page.getByRole('dialog').getByText('This fetches test/tiny from huggingface.co').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Download' }).click();
    const names = async (): Promise<string[]> =>
      (await window.ask('models.list', {})).map(({ name }) => name);
    while (!(await names()).includes('tiny')) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await field.inputValue()).toBe('');
    await browser.close();
    window.close();
    await served.close();
  },
);

it('says what to do when the Hub does not have it', async () => {
  const { jobId } = await client.ask('models.download', { repository: 'test/none' });
  const { error } = await client.ended(jobId);
  expect(error).toMatchObject({
    code: 'download.refused',
    message: expect.stringMatching(/test\/none.*it is not there/) as string,
  });
});

it('is fetched on the command line once, and is there by its id', async () => {
  const own = newLibrary();
  process.env['LIKENESS_CACHE'] = own;
  hub.asked.length = 0;
  const run = download.prepare([repository]);
  const context = { report: () => undefined, signal: new AbortController().signal };
  const { fields } = await run(context);
  expect(fields).toEqual({ path: modelPlace(repository) });
  const asked = hub.asked.length;
  expect(asked).toBeGreaterThan(0);
  await run(context);
  expect(hub.asked.length).toBe(asked);
  delete process.env['LIKENESS_CACHE'];
});

it('is fetched by the command that needs it, where --download says so', async () => {
  const own = newLibrary();
  const env = { ...process.env, LIKENESS_CACHE: own, HF_HUB_CACHE: path.join(own, 'none') };
  const run = (...words: readonly string[]): Promise<string> =>
    new Promise((resolve) => {
      const argv = ['dist/likeness.js', 'inspect', repository, '--json', ...words];
      execFile(process.execPath, argv, { env }, (_, stdout) => resolve(stdout));
    });
  expect(await run()).toMatch(/model\.notHere.*--download/);
  expect(await run('--download')).toMatch(/"type":"done".*"kind":"diffusers"/);
  // Now it is here.
  expect(await run()).toMatch(/"type":"done"/);
});
