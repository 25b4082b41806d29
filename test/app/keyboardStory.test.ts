import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { browserProgram, noBrowser, openBrowser } from './browser.ts';
import { Keyboard } from './keyboard.ts';
import { electronProgram, launchApp } from './launchApp.ts';
import { buildStudio, newLibrary, removeLibraries } from './served.ts';
import { StudioProcess } from './studioProcess.ts';

/** Machines that are busy take their time. */
const patience = 1_200_000;
/** For one step: less than for the whole, so that a failure says what did not come. */
const waitAtMost = 600_000;
type Trouble = 'a reload' | 'a killed server';
const photos = [0, 1, 2, 3, 4].map((number) => path.resolve('resources/sample-subject', `0${number}.jpg`));

/** A window on a library, by one of the two doors. */
interface Opened {
  readonly keyboard: Keyboard;
  /** What the person will choose when they are asked for files. */
  readonly willChoose: (files: string[]) => Promise<unknown>;
  /** What befalls the studio between two parts of the story. */
  readonly disturb?: () => Promise<void>;
}

async function makeSubject({ keyboard, willChoose }: Opened): Promise<void> {
  await keyboard.isAt('heading', 'Teach it your subject.');
  await keyboard.activate('button', 'Start with my own photos');
  await keyboard.isAt('textbox', 'Name');
  await keyboard.type('Fern');
  await keyboard.fill('What is it?', 'potted plant', 'combobox');
  await keyboard.press('Enter');

  await keyboard.isAt('heading', 'Fern');
  await keyboard.tabTo('button', 'Browse');
  await willChoose(photos);
  await keyboard.press('Enter');
  await keyboard.reads(/5 photos, .*Ready to train\./);
  await keyboard.isAt('button', 'Browse');
  await keyboard.activate('button', 'Remove 00.jpg');
  await keyboard.reads(/4 photos, .*Ready to train\./);
  // Beside the photo that took its place.
  await keyboard.isAt('link', '01.jpg');
  await keyboard.press('ControlOrMeta+z');
  await keyboard.reads(/5 photos, .*Ready to train\./);
}

async function train({ keyboard }: Opened): Promise<void> {
  await keyboard.activate('button', 'Train', { back: (await keyboard.stop()) !== null });
  await keyboard.isAt('heading', 'Train Fern');
  await keyboard.tabTo('radio', /Balanced/);
  await keyboard.press('ArrowUp');
  await keyboard.isAt('radio', /Quick/);
  await keyboard.unfold(/All settings/);
  await keyboard.fill('Steps', '4', 'spinbutton');
  await keyboard.tabTo('switch', 'Prior preservation');
  if (await keyboard.find('switch', 'Prior preservation').isChecked()) await keyboard.press('Space');
  await keyboard.fill('Checkpoint every … steps', '4', 'spinbutton', { back: true });
  await keyboard.press('ControlOrMeta+Enter');

  await keyboard.isAt('heading', 'Fern 1');
  await keyboard.sees('progressbar', 'Progress');
  await keyboard.reads('/ 4', { exact: false });
  await keyboard.tabTo('button', 'Cancel');
  await keyboard.reads(/\b(Done|Failed)\b/);
  // Where Cancel was.
  await keyboard.isAt('button', 'More steps');
  await keyboard.sees('button', 'Pick step 4');
}

async function makePictures({ keyboard }: Opened): Promise<void> {
  await keyboard.activate('button', 'Make pictures');
  await keyboard.isAt('textbox', 'Prompt');
  await keyboard.press('End');
  await keyboard.type(' in the snow');
  await keyboard.tabTo('slider', 'How many');
  await keyboard.press('Home', 'ArrowRight');
  await keyboard.unfold(/More settings/);
  await keyboard.tabTo('slider', 'Steps');
  await keyboard.press('Home', 'ArrowRight', 'ControlOrMeta+Enter');
  await keyboard.isAt('slider', 'Steps');
  await keyboard.reads('2 pictures made');

  await keyboard.activate('button', /^Open: a photo of sks potted plant in the snow/);
  await keyboard.reads('1 of 2');
  await keyboard.press('f');
  await keyboard.page.getByRole('button', { name: 'Favourite', pressed: true }).first().waitFor();
  await keyboard.press('Escape');
  // Back among the results.
  await keyboard.isAt('button', /^Open: a photo of sks potted plant in the snow/);
  await keyboard.press('g', 'a');
  await keyboard.isAt('listbox', 'Gallery');
  await keyboard.sees('option', favourite);
}
const favourite = /^a photo of sks potted plant in the snow, seed \d+, favourite$/;

async function scoreAndExport({ keyboard }: Opened): Promise<void> {
  await keyboard.press('g', 'c');
  await keyboard.isAt('heading', 'Scores');
  await keyboard.activate('button', 'Measure');
  await keyboard.isAt('button', 'Cancel');
  await keyboard.press('j');
  await keyboard.isAt('heading', 'Jobs');
  await keyboard.press('Escape');
  await keyboard.sees('group', /^Checkpoint to keep: step \d$/);
  await keyboard.isAt('group', /^Checkpoint to keep: step \d$/);

  await keyboard.press('?');
  await keyboard.sees('dialog', 'Keyboard shortcuts');
  await keyboard.press('Escape');
  await keyboard.isAt('group', /^Checkpoint to keep: step \d$/);
  await keyboard.press('ControlOrMeta+k');
  await keyboard.isAt('combobox', 'Command menu');
  await keyboard.type('export');
  await keyboard.press('Enter');
  await keyboard.isAt('heading', 'Fern 1');
  await keyboard.activate('button', 'Export');
  await keyboard.reads('Read back and verified');
  await keyboard.isAt('button', 'Export');
}

/** In a window that was opened anew. */
async function findSubjectAndRun({ keyboard }: Opened): Promise<void> {
  await keyboard.press('Tab');
  await keyboard.isAt('link', 'Skip to content');
  await keyboard.press('Enter');
  await keyboard.activate('link', /^Fern/);
  await keyboard.isAt('heading', 'Fern');
  await keyboard.reads(/5 photos, .*Ready to train\./);
  await keyboard.press('g', 't');
  await keyboard.isAt('heading', 'Train Fern');
  await keyboard.activate('link', /^Fern 1 .*Done$/);
  await keyboard.isAt('heading', 'Fern 1');
  await keyboard.sees('button', /^(Pick step 4|Undo the pick)$/);
}

async function findFavourite({ keyboard }: Opened): Promise<void> {
  await keyboard.press('g', 'a');
  await keyboard.isAt('listbox', 'Gallery');
  await keyboard.sees('option', favourite);
}

async function findScoresAndExport({ keyboard }: Opened): Promise<void> {
  await keyboard.press('g', 'c');
  await keyboard.sees('heading', 'Step 4');
  await keyboard.press('g', 'm');
  await keyboard.reads('Read back and verified');
}

const possible = electronProgram ?? browserProgram;

describe.skipIf(!possible)(`the story by keyboard alone${possible ? '' : ` (${noBrowser})`}`, () => {
  let browser: Browser | undefined;
  const closes: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closes.splice(0)) await close();
  };

  beforeAll(async () => {
    buildStudio();
    if (browserProgram) browser = await openBrowser();
  }, 600_000);

  afterEach(closeAll, 120_000);
  afterAll(async () => {
    await browser?.close();
    removeLibraries();
  });

  /** The studio as it is served, in a browser that was never there. `troubled`: the page is reloaded, or the server killed, between parts. */
  async function serve(library: string, troubled?: Trouble): Promise<Opened> {
    let studio = await StudioProcess.start(library);
    if (!browser) throw new Error(noBrowser);
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(waitAtMost);
    let chosen: string[] = [];
    // Asked for beforehand: Chromium shuts at once what it opens while nobody listens.
    page.on('filechooser', (chooser) => void chooser.setFiles(chosen));
    await page.goto(studio.url);
    await page.getByRole('heading', { level: 1 }).waitFor();
    closes.push(async () => {
      await page.context().close();
      await studio.stop();
    });
    const disturb = async (): Promise<void> => {
      if (troubled === 'a reload') await page.reload();
      if (troubled !== 'a killed server') return;
      await studio.kill();
      await page.getByText('Likeness is not answering', { exact: true }).waitFor();
      studio = await StudioProcess.start(library);
      await page.getByText('Likeness is not answering', { exact: true }).waitFor({ state: 'detached' });
    };
    const willChoose = (files: string[]): Promise<unknown> => {
      chosen = files;
      return Promise.resolve();
    };
    return { keyboard: new Keyboard(page), willChoose, disturb };
  }

  /** The app, whose files the system asks for. */
  async function launch(library: string): Promise<Opened> {
    const { page, ask, close } = await launchApp(library, `${library}.cache`);
    closes.push(close);
    page.setDefaultTimeout(waitAtMost);
    await page.getByRole('heading', { level: 1 }).waitFor();
    const willChoose = async (files: string[]): Promise<unknown> => ask?.({ about: 'choose', files });
    return { keyboard: new Keyboard(page), willChoose };
  }

  it.skipIf(!browserProgram)(
    'served: photos, training, pictures, a favourite, scores, an export, a restart: all still there',
    { timeout: patience },
    async () => {
      const library = newLibrary();
      const first = await serve(library);
      for (const part of [makeSubject, train, makePictures, scoreAndExport]) await part(first);
      expect(await first.keyboard.stop()).toMatchObject({ inView: true, outlined: true });
      await closeAll();
      const second = await serve(library);
      for (const part of [findSubjectAndRun, findFavourite, findScoresAndExport]) await part(second);
    },
  );

  // Scores and exports outlive the restart of the story above; everyStep.test.ts exports under trouble.
  it.skipIf(!browserProgram).each(['a reload', 'a killed server'] as const)(
    'served, with %s between: photos, training, pictures, a favourite, a restart: all still there',
    { timeout: patience },
    async (troubled) => {
      const library = newLibrary();
      const first = await serve(library, troubled);
      for (const part of [makeSubject, train, makePictures]) {
        await part(first);
        await first.disturb?.();
      }
      await closeAll();
      const second = await serve(library);
      for (const part of [findSubjectAndRun, findFavourite]) await part(second);
    },
  );

  // A program cannot choose in a real system's dialog.
  it.skipIf(electronProgram !== undefined)(
    'in the app: photos, training, a restart: all still there',
    { timeout: patience },
    async () => {
      const library = newLibrary();
      const first = await launch(library);
      for (const part of [makeSubject, train]) await part(first);
      await closeAll();
      await findSubjectAndRun(await launch(library));
    },
  );
});
