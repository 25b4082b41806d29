import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Served } from '../../src-main/serve.ts';
import { axe } from './axe.ts';
import { browserProgram, noBrowser, openBrowser } from './browser.ts';
import { enter, places } from './places.ts';
import { buildStudio, newLibrary, removeLibraries, serveLibrary } from './served.ts';
import { makeUsedLibrary } from './usedLibrary.ts';

const patience = 600_000;

describe.skipIf(!browserProgram)(`the window${browserProgram ? '' : ` (${noBrowser})`}`, () => {
  let used: Served;
  let fresh: Served;
  let browser: Browser;

  beforeAll(async () => {
    buildStudio();
    const folder = newLibrary();
    await makeUsedLibrary(folder);
    used = await serveLibrary(folder);
    fresh = await serveLibrary(newLibrary());
    browser = await openBrowser();
  }, patience);

  afterAll(async () => {
    await browser.close();
    await Promise.all([used.close(), fresh.close()]);
    removeLibraries();
  });

  interface Opened {
    readonly page: Page;
    readonly wrong: readonly string[];
    /** The calls it sent. */
    readonly asked: readonly string[];
    readonly close: () => Promise<void>;
  }

  /** The page of a person who was never here, that remembers what went wrong on it, and who else it asked for something. */
  async function openPage(): Promise<Opened> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      colorScheme: 'light',
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    page.setDefaultTimeout(120_000);
    const wrong: string[] = [];
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') wrong.push(message.text());
    });
    const asked: string[] = [];
    page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => asked.push(payload.toString())));
    page.on('request', (request) => {
      if (!/^(http:\/\/127\.0\.0\.1:|about:|data:|blob:)/.test(request.url())) wrong.push(request.url());
    });
    return { page, wrong, asked, close: () => context.close() };
  }

  it.each(places)(
    '$name: accessible in both themes, breaks no policy, asks nobody else, fits from 900 pixels and at 200 % zoom',
    { timeout: patience },
    async (place) => {
      const { page, wrong, asked, close } = await openPage();
      await enter(page, used.url, place);
      const violations = await axe(page);
      // The theme changes colours and nothing else; they change over a moment, which begins with a frame.
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
      // An animation that is cancelled has ended too.
      await page.evaluate('Promise.allSettled(document.getAnimations().map((each) => each.finished))');
      violations.push(...(await axe(page, ['color-contrast'])));
      expect(violations).toEqual([]);
      // One thing is the next to do: of a dialog where one is open, else of the screen.
      const filled = await page.evaluate<number>(
        `[...([...document.querySelectorAll('dialog[open]')].at(-1) ?? document).querySelectorAll('button.main')].filter((one) => one.checkVisibility()).length`,
      );
      expect(filled).toBeLessThanOrEqual(1);
      // 640: what is left of 1280 at 200 %.
      for (const width of [900, 640]) {
        await page.setViewportSize({ width, height: 700 });
        const beyond = await page.evaluate<number[]>(
          `[document.documentElement, document.querySelector('main')].map((box) => box.scrollWidth - box.clientWidth)
            .concat(document.documentElement.scrollHeight - document.documentElement.clientHeight)`,
        );
        expect(beyond, `${width} pixels`).toEqual([0, 0, 0]);
      }
      // All of a long page can be scrolled into view: 1280 × 800 at 200 %, and the smallest window.
      for (const [width, height] of [
        [640, 400],
        [320, 400],
      ] as const) {
        await page.setViewportSize({ width, height });
        const outside = await page.evaluate<string[]>(
          `[...document.querySelectorAll('main, dialog[open]')].filter((box) => {
            const { top, bottom, height } = box.getBoundingClientRect();
            return height > 0 && (top < -1 || bottom > innerHeight + 1);
          }).map((box) => box.tagName)`,
        );
        expect(outside, `${width} × ${height}`).toEqual([]);
        if (width === 640) expect(await axe(page), '640 × 400').toEqual([]);
      }
      expect(wrong).toEqual([]);
      expect(asked.length, asked.slice(-3).join()).toBeLessThan(40);
      await close();
    },
  );

  it('greets a new person', { timeout: patience }, async () => {
    const { page, wrong, close } = await openPage();
    await page.goto(fresh.url);
    await page.getByRole('button', { name: 'Try it with a potted plant' }).waitFor();
    // What the included model draws is seen before anything is trained.
    const drawn = page.getByRole('img', { name: 'Pictures that Likeness mini drew' });
    await drawn.waitFor();
    await drawn.evaluate('(picture) => picture.decode()');
    expect(await axe(page)).toEqual([]);
    expect(wrong).toEqual([]);
    await close();
  });

  it(
    'is worked by keyboard: palette, screens, lightbox, settings of a picture',
    { timeout: patience },
    async () => {
      const { page, close } = await openPage();
      await page.goto(`${used.url}#/subjects`);
      await page.getByRole('heading', { name: 'Subjects' }).waitFor();
      await page.keyboard.press('Control+k');
      await page.keyboard.type('gallery');
      await page.keyboard.press('Enter');
      await page.getByRole('listbox', { name: 'Gallery' }).focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Enter');
      await page.getByText('2 of 128').waitFor();
      await page.keyboard.press('ArrowRight');
      await page.getByText('3 of 128').waitFor();
      await page.getByRole('button', { name: 'Use these settings' }).waitFor();
      await page.keyboard.press('u');
      const prompt = page.getByLabel('Prompt', { exact: true });
      await prompt.waitFor();
      expect(await prompt.inputValue()).toContain('sks potted plant');
      await close();
    },
  );

  it('keeps run, checkpoint and weight behind the subject’s chip', { timeout: patience }, async () => {
    const { page, wrong, close } = await openPage();
    await page.goto(`${used.url}#/generate`);
    const chips = page.getByRole('group', { name: 'Subjects in this picture' });
    const chip = chips.getByRole('button', { name: /^Sample potted plant/, expanded: false });
    await chip.click();
    await page
      .getByRole('combobox', { name: 'Run' })
      .selectOption({ label: 'Sample potted plant · Balanced' });
    await page.getByRole('combobox', { name: 'Checkpoint' }).selectOption({ label: 'Step 280' });
    expect(await axe(page)).toEqual([]);
    await chips.getByRole('button', { name: /^Sample potted plant · Step 280/, expanded: true }).click();
    expect(await page.getByRole('combobox', { name: 'Checkpoint' }).count()).toBe(0);
    // Without the chip, the prompt names what it is and no longer whose.
    await chips.getByRole('button', { name: /^Remove Sample potted plant/ }).click();
    await page.getByText('The base model alone. It does not know your subjects.').waitFor();
    expect(await page.getByLabel('Prompt', { exact: true }).inputValue()).toBe('a photo of potted plant');
    expect(wrong).toEqual([]);
    await close();
  });

  it('puts places that the model knows into the prompt', { timeout: patience }, async () => {
    const { page, wrong, close } = await openPage();
    await page.goto(`${used.url}#/generate`);
    const places = page.getByRole('group', { name: 'Places' });
    const prompt = page.getByLabel('Prompt', { exact: true });
    await prompt.fill('a photo of sks potted plant, at dusk');
    await places.getByRole('button', { name: 'in the snow', pressed: false }).click();
    expect(await prompt.inputValue()).toBe('a photo of sks potted plant in the snow, at dusk');
    await places.getByRole('button', { name: /more$/, expanded: false }).click();
    await places.getByRole('button', { name: 'on the moon' }).click();
    expect(await prompt.inputValue()).toBe('a photo of sks potted plant {in the snow|on the moon}, at dusk');
    await page.getByRole('button', { name: 'Make 8 pictures' }).waitFor();
    await places.getByRole('button', { name: 'in the snow', pressed: true }).click();
    await places.getByRole('button', { name: 'Fewer', expanded: true }).click();
    // One that is chosen stays in sight.
    await places.getByRole('button', { name: 'on the moon', pressed: true }).waitFor();
    expect(await axe(page)).toEqual([]);
    expect(wrong).toEqual([]);
    await close();
  });

  it('takes photos that are dropped on it', { timeout: patience }, async () => {
    const { page, wrong, close } = await openPage();
    await page.goto(`${used.url}#/subjects/1`);
    const target = page.getByRole('region', { name: 'Add photos' });
    await target.waitFor();
    const files = ['00.jpg', '01.jpg', '02.jpg', '03.jpg', '04.jpg'].map((name) => ({
      name,
      data: readFileSync(path.resolve('resources/sample-subject', name)).toString('base64'),
    }));
    const dataTransfer = await page.evaluateHandle((given) => {
      const { DataTransfer } = globalThis as unknown as { DataTransfer: new () => Dropped };
      const dropped = new DataTransfer();
      for (const { name, data } of given)
        dropped.items.add(
          new File([Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0))], name, { type: 'image/jpeg' }),
        );
      return dropped;
    }, files);
    await target.dispatchEvent('dragover', { dataTransfer });
    await target.dispatchEvent('drop', { dataTransfer });
    await page.getByText('5 photos were added.').first().waitFor();
    for (const { name } of files) await page.getByRole('img', { name }).waitFor();
    expect(wrong).toEqual([]);
    await close();
  });
});

interface Dropped {
  readonly items: { readonly add: (file: File) => void };
}
