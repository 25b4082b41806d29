import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Served } from '../../src-main/serve.ts';
import { RunFolder } from '../../src-main/engine/training/run/runFolder.ts';
import type { Subject } from '../../src-shared/domain/subject.ts';
import { browserProgram, noBrowser, openBrowser } from './browser.ts';
import { buildStudio, Client, newLibrary, removeLibraries, serveLibrary } from './served.ts';

const patience = 600_000;
const model = path.resolve(import.meta.dirname, '../golden/fixtures/models/tiny-bk');

describe.skipIf(!browserProgram)(`masks${browserProgram ? '' : ` (${noBrowser})`}`, () => {
  const folder = newLibrary();
  let studio: Served;
  let client: Client;
  let browser: Browser;
  let page: Page;
  let subject: Subject;

  beforeAll(async () => {
    buildStudio();
    studio = await serveLibrary(folder);
    client = await Client.open(studio.url);
    subject = await client.ask('subjects.createSample', {});
    // A photo that lies on its side and says so: 120 wide and 200 high as people see it.
    const turned = await sharp({ create: { width: 200, height: 120, channels: 3, background: 'teal' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const data = turned.toString('base64');
    await client.ask('photos.addBytes', { subjectId: subject.id, name: 'turned.jpg', data });
    browser = await openBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
    page.setDefaultTimeout(120_000);
    await page.goto(`${studio.url}#/subjects/${subject.id}`);
    await page.getByText('turned.jpg').first().waitFor();
  }, patience);

  afterAll(async () => {
    await browser.close();
    client.close();
    await studio.close();
    removeLibraries();
  });

  const stage = (): Locator => page.getByRole('application');
  const button = (name: string): Locator => page.getByRole('button', { name, exact: true });
  const openMask = async (photo: string): Promise<void> => {
    await button(`Mask ${photo}`).focus();
    await page.keyboard.press('Enter');
    await stage().waitFor();
  };
  const tool = (name: string): Promise<void> =>
    page.getByRole('dialog').getByText(name, { exact: true }).click();

  const news = (text: string): Promise<void> =>
    page.getByRole('region', { name: 'Notifications' }).getByText(text).waitFor();

  /** Moves the pointer, pressed, along places given as shares of the photo. */
  async function draw(...places: readonly (readonly [number, number])[]): Promise<void> {
    const box = await stage().boundingBox();
    if (!box) throw new Error('there is no photo to paint on');
    const [first, ...others] = places.map(
      ([x, y]) => [box.x + x * box.width, box.y + y * box.height] as const,
    );
    if (!first) return;
    await page.mouse.move(...first);
    await page.mouse.down();
    for (const place of others) await page.mouse.move(...place, { steps: 4 });
    await page.mouse.up();
  }

  const stored = (name: string): string | undefined => {
    const place = path.join(folder, subject.folder, 'masks');
    const file = readdirSync(place).find((one) => one.startsWith(path.parse(name).name));
    return file && path.join(place, file);
  };

  /** What the stored mask says at places given as shares of the photo. */
  async function greys(name: string, ...places: readonly (readonly [number, number])[]): Promise<number[]> {
    const picture = sharp(stored(name)).greyscale();
    const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
    return places.map(
      ([x, y]) => data[Math.round(y * info.height) * info.width + Math.round(x * info.width)] ?? -1,
    );
  }

  const save = async (name: string): Promise<void> => {
    await button('Save mask').click();
    await stage().waitFor({ state: 'detached' });
    await news(`The mask for ${name} was saved.`);
  };

  it(
    'are drawn with the mouse: shapes, lasso, brush, erasing, undo; saved as a PNG',
    { timeout: patience },
    async () => {
      await openMask('00.jpg');
      await page.getByText('Nothing is marked').waitFor();
      await draw([0.1, 0.1], [0.5, 0.5]);
      await page.getByText('13% of the photo is the subject').waitFor();
      await tool('Rectangle');
      await draw([0.9, 0.4], [0.7, 0.2]);
      await tool('Lasso');
      await draw([0.6, 0.6], [0.9, 0.6], [0.9, 0.9]);
      await tool('Brush');
      await draw([0.1, 0.9], [0.4, 0.9]);
      await tool('Erase');
      await draw([0.3, 0.3], [0.3, 0.3]);
      // Two of them undone, one done again.
      await page.keyboard.press('Control+z');
      await button('Undo').click();
      await page.keyboard.press('Control+Shift+Z');
      await save('00.jpg');
      const { width, height, format } = await sharp(stored('00.jpg')).metadata();
      expect([width, height, format]).toEqual([512, 512, 'png']);
      const inside = [
        [0.3, 0.3],
        [0.8, 0.3],
        [0.85, 0.65],
        [0.25, 0.9],
        [0.1, 0.9],
      ] as const;
      const outside = [
        [0.11, 0.11],
        [0.6, 0.3],
        [0.65, 0.85],
        [0.25, 0.8],
        [0.95, 0.95],
      ] as const;
      expect(await greys('00.jpg', ...inside)).toEqual([255, 255, 255, 255, 255]);
      expect(await greys('00.jpg', ...outside)).toEqual([0, 0, 0, 0, 0]);
      await page.getByText('mask', { exact: true }).waitFor();
    },
  );

  it(
    'can be changed: erased, inverted, cleared, taken away and brought back',
    { timeout: patience },
    async () => {
      await openMask('00.jpg');
      await page.getByText('% of the photo is the subject').waitFor();
      await tool('Erase');
      await tool('Rectangle');
      await draw([0, 0], [0.5, 0.5]);
      await button('Invert').click();
      await save('00.jpg');
      expect(await greys('00.jpg', [0.3, 0.3], [0.8, 0.3], [0.6, 0.3])).toEqual([255, 0, 255]);
      const before = readFileSync(stored('00.jpg') ?? '');

      // With nothing left of it there is no mask.
      await openMask('00.jpg');
      await page.getByText('% of the photo is the subject').waitFor();
      await button('Clear').click();
      await page.getByText('Nothing is marked').waitFor();
      await button('Save mask').click();
      await news('The mask for 00.jpg was removed.');
      expect(stored('00.jpg')).toBeUndefined();
      expect(await page.getByText('mask', { exact: true }).count()).toBe(0);
      await button('Undo').last().click();
      await page.getByText('mask', { exact: true }).waitFor();
      const [was, is] = [sharp(before), sharp(stored('00.jpg'))].map((one) =>
        one.greyscale().raw().toBuffer(),
      );
      expect((await is)?.equals((await was) ?? Buffer.alloc(0))).toBe(true);
    },
  );

  it('are drawn by keyboard alone, on a photo as it is seen', { timeout: patience }, async () => {
    await openMask('turned.jpg');
    expect(await page.evaluate('document.activeElement.value')).toBe('ellipse');
    // Everything is reached, and the focus is seen.
    const reached: string[] = [];
    for (let i = 0; i < 19; i++) {
      await page.keyboard.press('Tab');
      const [name, seen] = await page.evaluate<[string, boolean]>(
        `(() => {
          const at = document.activeElement;
          const ring = at.closest('label') ?? at;
          const name = at.getAttribute('aria-label') ?? (at.value && at.closest('label') ? at.closest('label').textContent.trim() : at.textContent.trim());
          return [name, getComputedStyle(ring).outlineStyle === 'solid' || at === document.body];
        })()`,
      );
      expect(seen, name).toBe(true);
      reached.push(name);
    }
    for (const name of [
      'Add',
      'Zoom out',
      'Zoom in',
      'Undo',
      'Redo',
      'Snap to the edge',
      'Invert',
      'Clear',
      'Cancel',
      'Save mask',
      'Ellipse',
    ])
      expect(reached).toContain(name);
    expect(reached.some((name) => name.startsWith('Photo to paint on'))).toBe(true);

    await stage().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('application', { name: 'middle at 50% across and 50% down, 50% wide' }).waitFor();
    for (let i = 0; i < 20; i++) await page.keyboard.press('ArrowUp');
    for (let i = 0; i < 10; i++) await page.keyboard.press('Shift+ArrowLeft');
    await page.keyboard.press('Enter');
    // A second one that was not meant.
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await stage().waitFor();
    // A line with the brush, below; tools change by arrows, as they are one of a group.
    await page.keyboard.press('Shift+Tab');
    await page.getByRole('radio', { name: 'Ellipse' }).focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
    await stage().focus();
    for (let i = 0; i < 40; i++) await page.keyboard.press('ArrowDown');
    for (let i = 0; i < 20; i++) await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('e');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Control+z');
    await button('Save mask').focus();
    await page.keyboard.press('Enter');
    await news('The mask for turned.jpg was saved.');
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Mask turned.jpg');

    const { width, height } = await sharp(stored('turned.jpg')).metadata();
    expect([width, height]).toEqual([120, 200]);
    // The ellipse: moved up by 30 of 200, narrowed by 30 of 60. The line: from the middle at 160 of 200.
    expect(await greys('turned.jpg', [0.5, 0.35], [0.5, 0.15], [0.7, 0.35], [0.3, 0.35])).toEqual([
      255, 255, 0, 0,
    ]);
    expect(await greys('turned.jpg', [0.5, 0.8], [0.7, 0.8], [0.9, 0.8], [0.5, 0.72])).toEqual([
      255, 255, 0, 0,
    ]);
  });

  it(
    'are drawn from nearer: by wheel and by keys, what is worked on staying in sight',
    { timeout: patience },
    async () => {
      await openMask('02.jpg');
      // Notifications take room from the photo, and give it back when they go.
      const dismiss = page
        .getByRole('region', { name: 'Notifications' })
        .getByRole('button', { name: 'Dismiss' });
      await dismiss.first().waitFor({ state: 'detached' });
      const whole = await stage().boundingBox();
      if (!whole) throw new Error('there is no photo to paint on');
      /** Where a point of the window is on the photo, as shares. */
      const shares = async (x: number, y: number): Promise<number[]> => {
        const box = (await stage().boundingBox()) ?? whole;
        return [(x - box.x) / box.width, (y - box.y) / box.height];
      };
      /** The window draws the zoom first and scrolls to it in a later frame. */
      const settled = async (): Promise<void> => {
        for (let before = '', same = 0; same < 5;) {
          await page.evaluate(
            'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
          );
          const now = JSON.stringify([await stage().boundingBox(), await stage().locator('.cursor').count()]);
          same = now === before ? same + 1 : 0;
          before = now;
        }
      };
      const pointed = [whole.x + 0.3 * whole.width, whole.y + 0.7 * whole.height] as const;
      await page.mouse.move(...pointed);
      await page.keyboard.down('Control');
      for (const percent of [150, 225, 338, 506]) {
        await page.mouse.wheel(0, -100);
        await button(`${percent}%`).waitFor();
      }
      // Many small turns, as of two fingers, are one large one.
      for (let i = 0; i < 20; i++) await page.mouse.wheel(0, 10);
      await button('225%').waitFor();
      await page.mouse.wheel(0, -200);
      await button('506%').waitFor();
      await page.keyboard.up('Control');
      await settled();
      const [x = 0, y = 0] = await shares(...pointed);
      // On the way it was narrower than its room, and stood in the middle of that.
      expect(x).toBeCloseTo(0.3, 2);
      expect(y).toBeCloseTo(0.7, 2);
      await tool('Rectangle');
      await page.mouse.move(...pointed);
      await page.mouse.down();
      await page.mouse.move(pointed[0] + 60, pointed[1] + 60, { steps: 4 });
      await page.mouse.up();

      // The brush's ring goes along where the arrows lead it, past what was in sight.
      await tool('Brush');
      await stage().focus();
      for (let i = 0; i < 25; i++) await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Enter');
      await settled();
      const ring = await stage().locator('.cursor').boundingBox();
      const room = await page.locator('.room').boundingBox();
      if (!ring || !room) throw new Error('there is no brush');
      expect(ring.x).toBeGreaterThan(room.x);
      expect(ring.x + ring.width).toBeLessThan(room.x + room.width);
      const [to = 0, across = 0] = await shares(ring.x + ring.width / 2, ring.y + ring.height / 2);
      await page.keyboard.press('0');
      await button('100%').waitFor();
      expect((await stage().boundingBox())?.width).toBeCloseTo(whole.width, 0);
      await save('02.jpg');
      const corner = 60 / whole.width / 1.5 ** 4;
      expect(
        await greys(
          '02.jpg',
          [x + corner / 2, y + corner / 2],
          [x + 1.5 * corner, y + corner / 2],
          [x - corner / 2, y + corner / 2],
          [to, across],
        ),
      ).toEqual([255, 0, 0, 255]);
      await openMask('02.jpg');
      await button('Remove mask').click();
      await news('The mask for 02.jpg was removed.');
    },
  );

  it('are asked about before they are lost', { timeout: patience }, async () => {
    await openMask('01.jpg');
    await page.keyboard.press('Escape');
    await stage().waitFor({ state: 'detached' });
    await openMask('01.jpg');
    await draw([0.2, 0.2], [0.8, 0.8]);
    await page.getByText('% of the photo is the subject').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Save what you painted?').waitFor();
    await button('Keep painting').click();
    await page.getByText('% of the photo is the subject').waitFor();
    await page.keyboard.press('Escape');
    await button('Discard').click();
    await stage().waitFor({ state: 'detached' });
    expect(stored('01.jpg')).toBeUndefined();
  });

  it('are found where nothing is marked, and undone', { timeout: patience }, async () => {
    await openMask('01.jpg');
    await page.getByText('Nothing is marked').waitFor();
    await button('Snap to the edge').click();
    await page.getByText('% of the photo is the subject').waitFor();
    await save('01.jpg');
    // The bear sits in the middle.
    expect(await greys('01.jpg', [0.5, 0.5], [0.02, 0.02], [0.98, 0.02])).toEqual([255, 0, 0]);
    await openMask('01.jpg');
    await button('Clear').click();
    await button('Save mask').click();
    await news('The mask for 01.jpg was removed.');
  });

  it('weigh the training of their subject', { timeout: patience }, async () => {
    const imported = await client.ask('models.import', { path: model });
    await client.ended(imported.jobId);
    const modelId = (await client.ask('models.list', {})).at(-1)?.id ?? null;
    const train = async (changes: object) => {
      const run = await client.ask('training.start', {
        ...{ subjectId: subject.id, modelId, preset: 'quick' },
        changes: { steps: 2, checkpointEvery: 2, sampleEvery: null, prior: null, size: 64, ...changes },
      });
      expect(await client.ended(run.jobId ?? 0)).toMatchObject({ state: 'done', error: null });
      const { settings } = new RunFolder(path.join(folder, run.folder)).describe();
      const { curve } = await client.ask('training.run', { id: run.id });
      const masks = readdirSync(path.join(folder, run.folder, 'photos', 'masks')).sort();
      return { weight: settings.backgroundWeight, losses: curve.losses, masks };
    };
    const weighed = await train({});
    const whole = await train({ backgroundWeight: 1 });
    expect(weighed.masks).toEqual(['00.png', 'turned.png']);
    expect([weighed.weight, whole.weight]).toEqual([0.3, 1]);
    expect(weighed.losses).not.toEqual(whole.losses);
  });
});
