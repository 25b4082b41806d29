import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pictures } from '../pictureRequest.ts';
import { browserProgram, noBrowser, openBrowser } from './browser.ts';
import { buildStudio, Client, newLibrary, removeLibraries } from './served.ts';
import { StudioProcess } from './studioProcess.ts';

const patience = 900_000;
/** Small and of random weights. */
const model = path.resolve(import.meta.dirname, '../golden/fixtures/models/tiny-bk');

beforeAll(buildStudio, patience);
afterAll(removeLibraries);

describe.skipIf(!browserProgram)(`the story${browserProgram ? '' : ` (${noBrowser})`}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  }, patience);
  afterAll(() => browser.close());

  it.each(['reload', 'kill'] as const)(
    'with a %s at each step loses nothing, and the page goes on',
    { timeout: patience },
    async (how) => {
      const library = newLibrary();
      let studio = await StudioProcess.start(library);
      let client = await Client.open(studio.url);
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
      const page = await context.newPage();
      page.setDefaultTimeout(120_000);
      const { origin } = new URL(studio.url);
      const disturb = async (): Promise<void> => {
        if (how === 'reload') {
          await page.reload();
          return;
        }
        client.close();
        await studio.kill();
        studio = await StudioProcess.start(library);
        expect(new URL(studio.url).origin).toBe(origin);
        client = await Client.open(studio.url);
        await page.getByText('Likeness is not answering', { exact: true }).waitFor({ state: 'detached' });
      };
      const finished = async (id: number): Promise<void> => {
        expect(await client.ended(id)).toMatchObject({ state: 'done', error: null });
      };
      try {
        await client.ask('settings.update', { tourDone: true });
        await page.goto(`${studio.url}#/models`);
        const { jobId: importing } = await client.ask('models.import', { path: model });
        await disturb();
        await finished(importing);
        await page.getByText('Linked', { exact: true }).waitFor();
        const modelId = (await client.ask('models.list', {})).at(-1)?.id ?? null;

        const subject = await client.ask('subjects.createSample', {});
        await page.goto(`${origin}/#/subjects/${subject.id}`);
        await page.getByText(/5 photos, .*Ready to train\./).waitFor();
        await page.getByRole('textbox', { name: 'Caption of 01.jpg' }).fill('{token} {class} outside');
        await page.keyboard.press('Tab');
        await page.getByText('The caption of 01.jpg was saved.').first().waitFor();
        await disturb();
        await page.getByText(/5 photos, .*Ready to train\./).waitFor();
        const caption = page.getByRole('textbox', { name: 'Caption of 01.jpg' });
        expect(await caption.inputValue()).toBe('{token} {class} outside');

        const run = await client.ask('training.start', {
          ...{ subjectId: subject.id, modelId, preset: 'quick' },
          changes: { steps: 60, checkpointEvery: 20, sampleEvery: null, prior: null, size: 32 },
        });
        await page.goto(`${origin}/#/train/${run.id}`);
        while (!client.events('training.step').some(({ step }) => step > 20)) await wait(20);
        await disturb();
        await finished(run.jobId ?? 0);
        await page.getByText('Done', { exact: true }).first().waitFor();
        expect((await client.ask('training.run', { id: run.id })).run).toMatchObject({ step: 60 });

        await page.goto(`${origin}/#/generate`);
        const { jobId } = await client.ask('generation.start', {
          ...pictures({ modelId, count: 3, steps: 40 }),
          mixes: [[{ runId: run.id, step: null, weight: 1 }]],
        });
        while (client.events('generation.image').length === 0) await wait(20);
        await disturb();
        await finished(jobId);
        await page
          .getByRole('region', { name: 'Pictures', exact: true })
          .getByRole('button', { name: /^Open: / })
          .nth(2)
          .waitFor();

        await page.goto(`${origin}/#/models`);
        const exporting = await client.ask('exports.start', {
          ...{ runId: run.id, step: null, format: 'peft', dtype: null },
        });
        await disturb();
        await finished(exporting.jobId);
        await page.getByText('Read back and verified').waitFor();
        const [exported] = await client.ask('exports.list', {});
        const [cookie] = await context.cookies();
        const tar = await fetch(`${origin}/files/export/${exported?.id}`, {
          headers: { cookie: `${cookie?.name}=${cookie?.value}` },
        });
        expect(tar.headers.get('content-disposition')).toMatch(/^attachment; .*\.tar$/);
        expect(Buffer.from(await tar.arrayBuffer()).includes('adapter_config.json')).toBe(true);
        expect(await client.ask('gallery.ids', {})).toHaveLength(3);
      } finally {
        client.close();
        await context.close();
        await studio.stop();
      }
    },
  );
});
