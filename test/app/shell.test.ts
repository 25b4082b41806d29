import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Served } from '../../src-main/serve.ts';
import { pictures } from '../pictureRequest.ts';
import { browserProgram, noBrowser, openBrowser } from './browser.ts';
import { pickedStep } from './drawn.ts';
import { buildStudio, Client, newLibrary, removeLibraries, serveLibrary } from './served.ts';
import { StudioProcess } from './studioProcess.ts';
import { makeUsedLibrary } from './usedLibrary.ts';

const patience = 600_000;
/** Small and of random weights. */
const model = path.resolve(import.meta.dirname, '../golden/fixtures/models/tiny-bk');

beforeAll(buildStudio, patience);
afterAll(removeLibraries);

describe.skipIf(!browserProgram)(`around every screen${browserProgram ? '' : ` (${noBrowser})`}`, () => {
  let studio: Served;
  let client: Client;
  let browser: Browser;
  let context: BrowserContext;

  beforeAll(async () => {
    const folder = newLibrary();
    await makeUsedLibrary(folder);
    studio = await serveLibrary(folder);
    client = await Client.open(studio.url);
    browser = await openBrowser();
  }, patience);
  afterEach(() => context.close());
  afterAll(async () => {
    await browser.close();
    client.close();
    await studio.close();
  });

  /** The page of a person who was never here. */
  async function open(address: string, width = 1280, height = 800): Promise<Page> {
    context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce' });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    await page.goto(`${studio.url}${address}`);
    return page;
  }

  it('a tour that is taken again begins at its beginning', { timeout: patience }, async () => {
    const page = await open('#/subjects');
    await page.getByRole('heading', { name: 'Subjects' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('tour');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Try it with a potted plant' }).click();
    await page.getByRole('region', { name: 'Tour' }).getByText('1 of 5').waitFor();
    await page.getByRole('button', { name: 'Leave the tour' }).click();
  });

  it('shows what an address names, however late the lists above it come', { timeout: patience }, async () => {
    for (const [address, heading] of [
      ['#/models/network', 'Network'],
      ['#/train/2/export', 'Export'],
    ] as const) {
      const page = await open(address, 640, 400);
      await page.getByRole('button', { name: 'Download' }).or(page.getByText('Samples')).first().waitFor();
      const title = page.getByRole('heading', { name: heading, exact: true });
      // Polled: it is scrolled to again with each list that arrives.
      await expect
        .poll(async () => {
          const [main, box] = [await page.locator('main').boundingBox(), await title.boundingBox()];
          return box && main ? box.y >= main.y && box.y + box.height <= main.y + main.height : undefined;
        })
        .toBe(true);
      await context.close();
    }
  });

  it(
    'in a low window, a picture keeps most of the height and jobs leave the rail free',
    {
      timeout: patience,
    },
    async () => {
      const page = await open('#/subjects/3', 640, 400);
      await page.getByRole('button', { name: 'Mask 02.jpg' }).click();
      await page.getByText('% of the photo is the subject').waitFor();
      const height = async (locator: Locator): Promise<number> => (await locator.boundingBox())?.height ?? 0;
      const inSight = async (locator: Locator): Promise<boolean> => {
        const box = await locator.boundingBox();
        return box !== null && box.y >= 0 && box.y + box.height <= 400;
      };
      const photo = page.getByRole('dialog').getByRole('application');
      expect(await height(photo)).toBeGreaterThan(200);
      expect(await inSight(photo)).toBe(true);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Crop 01.jpg' }).click();
      const crop = page.getByRole('dialog').getByRole('img', { name: '01.jpg' });
      expect(await height(crop)).toBeGreaterThan(180);
      await page.keyboard.press('Escape');

      await page.keyboard.press('j');
      const drawer = page.getByRole('complementary', { name: 'Jobs' });
      await drawer.waitFor();
      const [jobs, rail] = [await drawer.boundingBox(), await page.getByRole('navigation').boundingBox()];
      expect((jobs?.y ?? 0) + (jobs?.height ?? 0)).toBeLessThanOrEqual((rail?.y ?? 0) + 1);
      await page.keyboard.press('Escape');

      await page.goto(`${studio.url}#/gallery/5`);
      await page.getByRole('button', { name: 'Use these settings' }).waitFor();
      const picture = page.getByRole('dialog').getByRole('group', { name: 'Picture' });
      expect(await height(picture)).toBeGreaterThan(280);
      expect(await inSight(page.getByRole('dialog').getByRole('button', { name: 'Close' }))).toBe(true);
    },
  );

  it('a subject’s card counts pictures as they come and go', { timeout: patience }, async () => {
    const page = await open('#/subjects');
    await page.getByText('5 photos · 128 pictures').waitFor();
    const { undo } = await client.ask('gallery.remove', { ids: [7, 8] });
    await page.getByText('5 photos · 126 pictures').waitFor();
    await client.ask('trash.undo', { undo });
    await page.getByText('5 photos · 128 pictures').waitFor();
  });

  it.each(['scores', 'train'])(
    'the address of a run’s %s shows it, and its subject is the one worked with',
    { timeout: patience },
    async (screen) => {
      const page = await open('#/subjects/2');
      await page.getByRole('heading', { name: 'Rex' }).waitFor();
      await page.goto(`${studio.url}#/${screen}/2`);
      await page
        .getByText(screen === 'scores' ? `Checkpoint to keep: step ${pickedStep()}` : 'Balanced')
        .first()
        .waitFor();
      const chosen = page.getByRole('combobox', { name: 'Current subject' }).locator('option:checked');
      expect(await chosen.textContent()).toBe('Sample potted plant');
    },
  );

  it('what cannot be used is named as it was given', { timeout: patience }, async () => {
    await open('#/subjects');
    const bytes = Buffer.from('\x89PNG\r\n\x1a\nnothing more', 'latin1').toString('base64');
    const { refused } = await client.ask('photos.addBytes', { subjectId: 1, name: 'rex.png', data: bytes });
    expect(refused.map(({ problem }) => problem.message)).toEqual([expect.stringMatching(/^rex\.png /)]);
    expect(refused[0]?.problem.message).not.toContain('.tmp');
  });

  it('what a pause put down is no checkpoint without a sample', { timeout: patience }, async () => {
    const page = await open('#/train/1');
    await page.getByText('Step 280', { exact: true }).waitFor();
    expect(await page.getByText('Step 364', { exact: true }).count()).toBe(0);
    expect(await page.getByText('no sample').count()).toBe(0);
  });

  it('offers to try again only what may end otherwise', { timeout: patience }, async () => {
    const page = await open('#/subjects');
    await page.getByRole('heading', { name: 'Subjects' }).waitFor();
    // The button is named after what runs as soon as that is known.
    await page.keyboard.press('j');
    const card = (title: string) => page.getByRole('article').filter({ hasText: title });
    await card('sd15.safetensors').getByRole('button', { name: 'Try again' }).waitFor();
    expect(
      await card('flux.safetensors')
        .getByText(/only text-to-image models/)
        .count(),
    ).toBe(1);
    expect(await card('flux.safetensors').getByRole('button').count()).toBe(0);
  });

  it('notifications cover nothing, and can be reached over a dialog', { timeout: patience }, async () => {
    const page = await open('#/subjects/3', 640, 400);
    await page.getByRole('button', { name: 'Remove 04.jpg' }).click();
    const news = page.getByRole('region', { name: 'Notifications' });
    await news.getByText('was removed').waitFor();
    const [main, toasts] = [await page.locator('main').boundingBox(), await news.boundingBox()];
    expect(toasts?.y).toBeGreaterThanOrEqual((main?.y ?? 0) + (main?.height ?? Infinity) - 1);
    await news.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('img', { name: '04.jpg' }).waitFor();

    await page.goto(`${studio.url}#/gallery/5`);
    await page.getByText('5 of 128').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('5 of 127').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Undo' }).click();
    await page.getByText('of 128').waitFor();
  });

  it('at 640 pixels all of the bottom bar can be seen', { timeout: patience }, async () => {
    for (const width of [640, 320]) {
      const page = await open('#/subjects', width, 400);
      await page.getByRole('heading', { name: 'Subjects' }).waitFor();
      const lock = page.getByRole('navigation').getByRole('link', { name: 'Offline' });
      const box = await lock.boundingBox();
      expect((box?.x ?? Infinity) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
      const beyond = await page.evaluate<number>(
        `[...document.querySelectorAll('nav, nav *')].filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== 'visible' && !one.matches('.word, select')).length`,
      );
      expect(beyond).toBe(0);
      await context.close();
    }
  });

  it('a button shows at once that it works', { timeout: patience }, async () => {
    const page = await open('about:blank');
    await page.routeWebSocket(/contract/, (socket) => {
      const server = socket.connectToServer();
      server.onMessage((message) => {
        const text = message.toString();
        // The answer to the removal comes late.
        setTimeout(() => socket.send(message), text.includes('"undo"') ? 1_000 : 0);
      });
    });
    await page.goto(`${studio.url}#/subjects/3`);
    const remove = page.getByRole('button', { name: 'Remove 03.jpg' });
    await remove.click();
    await page.locator('button[aria-busy="true"][aria-label="Remove 03.jpg"]').waitFor({ timeout: 500 });
    const news = page.getByRole('region', { name: 'Notifications' });
    await news.getByRole('button', { name: 'Undo' }).click();
    await remove.waitFor();
  });
});

describe('jobs', () => {
  it('say that they are stopping, and what a crash left', { timeout: patience }, async () => {
    const studio = await StudioProcess.start(newLibrary());
    const client = await Client.open(studio.url);
    try {
      const { jobId } = await client.ask('models.import', { path: model });
      await client.ended(jobId);
      const modelId = (await client.ask('models.list', {})).at(-1)?.id ?? null;
      const { id: subjectId } = await client.ask('subjects.createSample', {});
      const run = await client.ask('training.start', {
        ...{ subjectId, modelId, preset: 'quick' },
        changes: { steps: 4000, checkpointEvery: 2000, sampleEvery: null, prior: null, size: 32 },
      });
      while (client.events('training.step').length === 0) await wait(20);
      const stopping = await client.ask('jobs.pause', { id: run.jobId ?? 0 });
      expect(stopping).toMatchObject({ state: 'running', stopping: 'paused' });
      while ((await client.ask('training.run', { id: run.id })).run.state !== 'paused') await wait(20);
      const [paused] = await client.ask('jobs.list', {});
      expect(paused).toMatchObject({ state: 'paused', stopping: null });

      const asked = pictures({ modelId, count: 40, steps: 40 });
      const crashed = async (after: () => boolean): Promise<string> => {
        while (studio.workers().length > 0) await wait(5);
        const { jobId: drawing } = await client.ask('generation.start', asked);
        while (studio.workers().length === 0 || !after()) await wait(5);
        for (const worker of studio.workers()) process.kill(worker, 'SIGKILL');
        const { error } = await client.ended(drawing);
        expect(error?.code).toBe('job.crashed');
        return error?.message ?? '';
      };
      expect(await crashed(() => true)).toMatch(/before anything was finished; try again to start it over/);
      const before = client.events('generation.image').length;
      expect(await crashed(() => client.events('generation.image').length > before)).toMatch(
        /\d+ of 40 pictures (is|are) in the gallery; try again to resume from there/,
      );
    } finally {
      client.close();
      await studio.stop();
    }
  });
});
