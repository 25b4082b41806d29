import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pictures } from '../pictureRequest.ts';
import { browserProgram, noBrowser, openBrowser } from './browser.ts';
import { buildStudio, Client, newLibrary, removeLibraries } from './served.ts';
import { StudioProcess } from './studioProcess.ts';

const patience = 600_000;
/** Small and of random weights. */
const model = path.resolve(import.meta.dirname, '../golden/fixtures/models/tiny-bk');
const count = 6;

beforeAll(buildStudio, patience);
afterAll(removeLibraries);

describe.skipIf(!browserProgram)(`results${browserProgram ? '' : ` (${noBrowser})`}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  }, patience);
  afterAll(() => browser.close());

  it(
    'survive a reload and a killed server, and are opened from the news and from the jobs',
    { timeout: patience },
    async () => {
      const library = newLibrary();
      let studio = await StudioProcess.start(library);
      let client = await Client.open(studio.url);
      const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        reducedMotion: 'reduce',
      });
      const page: Page = await context.newPage();
      page.setDefaultTimeout(60_000);
      try {
        const { jobId: importing } = await client.ask('models.import', { path: model });
        await client.ended(importing);
        const modelId = (await client.ask('models.list', {})).at(-1)?.id ?? null;
        await client.ask('settings.update', { tourDone: true });
        await page.goto(`${studio.url}#/generate`);
        const prompt = page.getByRole('textbox', { name: 'Prompt', exact: true });
        await prompt.fill('a dog on the moon');

        const { jobId } = await client.ask('generation.start', pictures({ modelId, count, steps: 60 }));
        while (client.events('generation.image').length === 0) await wait(20);
        await page.reload();
        const results = page.getByRole('region', { name: 'Pictures', exact: true });
        const made = results.getByRole('button', { name: /^Open: / });
        await made.first().waitFor();
        expect(await prompt.inputValue()).toBe('a dog on the moon');

        // The server is killed while it draws; what it had drawn is there, and the rest comes.
        client.close();
        await studio.kill();
        studio = await StudioProcess.start(library);
        client = await Client.open(studio.url);
        expect(await client.ended(jobId)).toMatchObject({ state: 'done' });
        await made.nth(count - 1).waitFor();
        expect(await made.count()).toBe(count);

        await page.goto(`${new URL(studio.url).origin}#/subjects`);
        await page.getByRole('heading', { name: 'Subjects' }).waitFor();
        await client.ask('generation.start', pictures({ modelId, count: 2, steps: 2, seed: 70 }));
        const news = page.getByRole('region', { name: 'Notifications' });
        await news.getByText('2 pictures are ready.').waitFor();
        await news.getByRole('button', { name: 'Show' }).click();
        await made.nth(1).waitFor();
        expect(await made.count()).toBe(2);

        await made.first().click();
        await page.getByText('1 of 2').waitFor();
        await page.keyboard.press('Escape');
        await made.first().waitFor();
        await page.goto(`${new URL(studio.url).origin}#/gallery`);
        await page.getByText(`${count + 2} pictures`).waitFor();

        await page.keyboard.press('j');
        const card = page.getByRole('article').filter({ hasText: `${count} pictures` });
        await card.getByRole('button', { name: 'Show' }).click();
        await made.nth(count - 1).waitFor();
        expect(await made.count()).toBe(count);
      } finally {
        client.close();
        await context.close();
        await studio.stop();
      }
    },
  );

  it(
    'that are watched while they come: one line about them, a bar that is seen, and no news beside them',
    { timeout: patience },
    async () => {
      const studio = await StudioProcess.start(newLibrary());
      const client = await Client.open(studio.url);
      const context = await browser.newContext({ viewport: { width: 900, height: 500 } });
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      try {
        const { jobId: importing } = await client.ask('models.import', { path: model });
        await client.ended(importing);
        const modelId = (await client.ask('models.list', {})).at(-1)?.id ?? null;
        await client.ask('settings.update', { tourDone: true, modelId });
        const { jobId } = await client.ask('generation.start', pictures({ modelId, count: 800, steps: 150 }));
        await page.goto(`${studio.url}#/generate`);
        const results = page.getByRole('region', { name: 'Pictures', exact: true });
        const bar = results.getByRole('progressbar');
        await bar.waitFor({ state: 'attached' });
        expect((await bar.boundingBox())?.height).toBe(4);
        expect(await results.getByText('Drawing pictures').count()).toBe(0);
        await client.ask('jobs.cancel', { id: jobId });
        await client.ended(jobId);

        await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill('a dog on the moon');
        await results.getByRole('button', { name: 'Cancel' }).waitFor({ state: 'detached' });
        await page.getByRole('button', { name: /^Make \d pictures/ }).click();
        await results.getByText('4 pictures made').waitFor();
        await page
          .getByRole('status')
          .filter({ hasText: '4 pictures are ready.' })
          .waitFor({ state: 'attached' });
        const news = page.getByRole('region', { name: 'Notifications' });
        expect(await news.getByText('4 pictures are ready.').count()).toBe(0);
      } finally {
        client.close();
        await context.close();
        await studio.stop();
      }
    },
  );

  it(
    'measure a folder of pictures, keep the figures, and take them away and back',
    { timeout: patience },
    async () => {
      const studio = await StudioProcess.start(newLibrary());
      const client = await Client.open(studio.url);
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
      page.setDefaultTimeout(60_000);
      const choose = async (what: string, folder: string): Promise<void> => {
        await page.getByRole('button', { name: `Choose ${what}` }).click();
        const dialog = page.getByRole('dialog', { name: what });
        await dialog.getByRole('textbox', { name: 'Path' }).fill(folder);
        await dialog.getByRole('button', { name: 'Choose', exact: true }).click();
      };
      try {
        await client.ask('settings.update', { tourDone: true });
        await page.goto(`${studio.url}#/scores`);
        await page.getByRole('link', { name: /^Measure other pictures/ }).click();
        const start = page.getByRole('button', { name: 'Measure', exact: true });
        expect(await start.isDisabled()).toBe(true);
        await choose('Pictures', path.resolve('resources/sample-subject'));
        await choose('Compare with', path.resolve('test/app/drawn'));
        await start.click();
        const figures = page.getByRole('group', { name: 'Figures: Measuring sample-subject' });
        await figures.waitFor();
        expect(await figures.getByRole('rowheader').allTextContents()).toEqual([
          'Fréchet distance (MobileNetV2)',
          'KID (MobileNetV2)',
        ]);
        await page.getByRole('button', { name: 'Remove Measuring sample-subject' }).click();
        await figures.waitFor({ state: 'detached' });
        await page.getByRole('button', { name: 'Undo' }).click();
        await figures.waitFor();
      } finally {
        client.close();
        await page.close();
        await studio.stop();
      }
    },
  );
});
