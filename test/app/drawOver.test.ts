import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Served } from '../../src-main/serve.ts';
import { browserProgram, noBrowser, openBrowser } from './browser.ts';
import { buildStudio, Client, newLibrary, removeLibraries, serveLibrary } from './served.ts';

const patience = 600_000;

describe.skipIf(!browserProgram)(`drawing over a picture${browserProgram ? '' : ` (${noBrowser})`}`, () => {
  const folder = newLibrary();
  let studio: Served;
  let client: Client;
  let browser: Browser;
  let page: Page;
  let photo: Buffer;
  const [width, height] = [300, 200];

  beforeAll(async () => {
    buildStudio();
    const colours = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 37) % 251);
    photo = await sharp(colours, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    studio = await serveLibrary(folder);
    client = await Client.open(studio.url);
    browser = await openBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
    page.setDefaultTimeout(120_000);
    const draft = { prompt: 'a red ball', count: 1, steps: 3, guidance: 2 };
    await page.addInitScript(
      `if (!localStorage.getItem('likeness.draft')) localStorage.setItem('likeness.draft', '${JSON.stringify(draft)}')`,
    );
    await page.goto(`${studio.url}#/generate`);
  }, patience);

  afterAll(async () => {
    await browser.close();
    client.close();
    await studio.close();
    removeLibraries();
  });

  it('puts what was asked for where it was marked, and nowhere else', { timeout: patience }, async () => {
    const chooser = page.locator('section[aria-label="Draw over a picture"] input[type=file]');
    await chooser.setInputFiles({ name: 'my photo.png', mimeType: 'image/png', buffer: photo });
    await page.getByText('The whole picture is drawn over.').waitFor();
    await page.getByRole('button', { name: 'Mark what to draw' }).click();
    await page.getByText('Nothing is marked').waitFor();
    await page.getByRole('dialog').getByText('Rectangle', { exact: true }).click();
    const box = await page.getByRole('application').boundingBox();
    if (!box) throw new Error('there is no picture to paint on');
    const at = (x: number, y: number) => [box.x + x * box.width, box.y + y * box.height] as const;
    await page.mouse.move(...at(0.5, 0.25));
    await page.mouse.down();
    await page.mouse.move(...at(0.75, 0.75), { steps: 4 });
    await page.mouse.up();
    await page.getByRole('button', { name: 'Done', exact: true }).click();
    await page.getByText('Only what you marked is drawn').waitFor();
    await page.getByRole('button', { name: 'Make the picture' }).click();

    const made = async () => (await client.ask('gallery.page', { filter: {} })).images;
    while ((await made()).length === 0) await new Promise((resolve) => setTimeout(resolve, 200));
    const [image] = await made();
    const { file, recipe } = await client.ask('gallery.detail', { id: image?.id ?? 0 });
    expect(recipe).toMatchObject({ strength: 1, maskPadding: 17 });
    const pixels = async (from: string | Buffer) =>
      sharp(from).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const [before, after] = [await pixels(photo), await pixels(path.join(folder, file))];
    expect([after.info.width, after.info.height]).toEqual([width, height]);
    const changed = [...after.data.keys()].filter((i) => after.data[i] !== before.data[i]);
    const places = changed
      .map((i) => Math.floor(i / 3))
      .map((i) => [i % width, Math.floor(i / width)] as const);
    // The editor's edge may fall between two pixels.
    for (const [x, y] of places) expect(x >= 148 && x <= 227 && y >= 48 && y <= 152).toBe(true);
    expect(changed.length).toBeGreaterThan(10_000);

    // Once more, from the picture that was made.
    const { jobId } = await client.ask('generation.again', { imageId: image?.id ?? 0 });
    const ended = async () => (await client.ask('jobs.list', {})).find(({ id }) => id === jobId)?.state;
    while (!['done', 'failed'].includes((await ended()) ?? ''))
      await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await ended()).toBe('done');
    expect(await made()).toHaveLength(1);
  });

  it('enlarges a picture of the gallery, and what the form draws', { timeout: patience }, async () => {
    const made = async () => (await client.ask('gallery.page', { filter: {} })).images;
    const pictures = async (count: number) => {
      while ((await made()).length < count) await new Promise((resolve) => setTimeout(resolve, 200));
      return made();
    };
    const [small] = await made();
    await page.goto(`${studio.url}#/gallery/${small?.id ?? 0}`);
    await page.getByRole('button', { name: 'Enlarge ×2' }).click();
    const [large] = await pictures(2);
    expect([large?.width, large?.height]).toEqual([2 * width, 2 * height]);
    const { file, recipe } = await client.ask('gallery.detail', { id: large?.id ?? 0 });
    expect(path.basename(file)).toMatch(/-x2\.png$/);
    expect(recipe).toMatchObject({ strength: 1, upscale: { factor: 2 } });
    await page.goto(`${studio.url}#/gallery/${large?.id ?? 0}`);
    await page.getByRole('dialog').getByText('×2', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Enlarge ×2' }).count()).toBe(0);

    await page.goto(`${studio.url}#/generate`);
    await page.getByRole('button', { name: 'Don’t draw over it' }).click();
    await page.getByText('More settings').click();
    await page.getByRole('combobox', { name: 'Enlarge' }).selectOption('×2');
    await page.getByRole('slider', { name: 'Redraw the enlarged picture' }).fill('50');
    await page.getByRole('button', { name: 'Make the picture' }).click();
    const [drawn] = await pictures(3);
    expect([drawn?.width, drawn?.height]).toEqual([256, 256]);
    const again = await client.ask('gallery.detail', { id: drawn?.id ?? 0 });
    expect(again.recipe).toMatchObject({ width: 128, upscale: { factor: 2, strength: 0.5 } });
  });
});
