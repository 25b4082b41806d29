import type { Browser, CDPSession, Page } from 'playwright-core';
import { counting, StudioProcess } from '../studioProcess.ts';

/** Times in ms, heaps in MB. */
export interface GalleryFigures {
  readonly firstRows: number;
  readonly filter: number;
  /** Frames over 50 ms while scrolling by the wheel, and while the scroll bar is dragged from top to end. */
  readonly wheel: Frames;
  readonly drag: Frames;
  /** After the garbage was collected: before the gallery, in it, at its end, back at its top, filtered. */
  readonly heaps: readonly number[];
  /** How long the serving process' event loop was blocked: the five longest times. */
  readonly blocks: readonly number[];
}

interface Frames {
  readonly frames: number;
  readonly longest: number;
  readonly over50: number;
}

/** Opens the gallery of a library with `images` pictures, scrolls to the end, filters: some of the prompts have "snow". */
export async function measureGallery(
  browser: Browser,
  library: string,
  images: number,
): Promise<GalleryFigures> {
  const studio = await StudioProcess.start(library, counting(library));
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  try {
    await page.goto(`${studio.url}#/subjects`);
    await page.locator('main a[href^="#/subjects/"]').first().waitFor();
    await page.waitForTimeout(1500);
    const session = await page.context().newCDPSession(page);
    const heaps = [await heap(session)];
    await studio.blocks();
    const firstRows = await timed(page, "location.hash = '#/gallery'", '[aria-posinset="1"] img');
    await page.waitForTimeout(500);
    heaps.push(await heap(session));
    const drag = await dragged(page);
    await page.locator(`[aria-posinset="${images}"]`).waitFor();
    heaps.push(await heap(session));
    await page.getByRole('listbox').press('Home');
    await page.locator('[aria-posinset="1"]').waitFor();
    const wheel = await wheeled(page);
    heaps.push(await heap(session));
    const type = `const search = document.querySelector('[type=search]'); search.focus();
      search.value = 'snow'; search.dispatchEvent(new Event('input', { bubbles: true }))`;
    const filter = await timed(page, type, `[aria-setsize]:not([aria-setsize="${images}"])`);
    await page.waitForTimeout(500);
    heaps.push(await heap(session));
    return { firstRows, filter, drag, wheel, heaps, blocks: await studio.blocks() };
  } finally {
    await page.context().close();
    await studio.stop();
  }
}

/** Milliseconds from doing `what` to the first frame in which `selector` is found. */
function timed(page: Page, what: string, selector: string): Promise<number> {
  return page.evaluate<number>(`new Promise((done) => {
    const start = performance.now();
    ${what};
    const look = () => document.querySelector('${selector}') ? done(Math.round(performance.now() - start)) : requestAnimationFrame(look);
    look();
  })`);
}

/** As if the scroll bar was drawn from top to end within two seconds: every frame shows other pictures. */
function dragged(page: Page): Promise<Frames> {
  return page.evaluate<Frames>(`new Promise((done) => {
    const box = document.querySelector('[role=listbox]');
    const times = [];
    const step = (now) => {
      times.push(now);
      box.scrollTop = (box.scrollHeight * times.length) / 120;
      if (times.length < 120) requestAnimationFrame(step);
      else done((${summary.toString()})(times));
    };
    requestAnimationFrame(step);
  })`);
}

async function wheeled(page: Page): Promise<Frames> {
  await page.evaluate(`window.times = []; window.watching = true;
    const note = (now) => { window.times.push(now); if (window.watching) requestAnimationFrame(note); };
    requestAnimationFrame(note)`);
  await page.mouse.move(700, 500);
  for (let turn = 0; turn < 60; turn++) {
    await page.mouse.wheel(0, 240);
    await page.waitForTimeout(16);
  }
  return page.evaluate<Frames>(`window.watching = false; (${summary.toString()})(window.times)`);
}

function summary(times: readonly number[]): Frames {
  const frames = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  return {
    frames: frames.length,
    longest: Math.round(Math.max(...frames)),
    over50: frames.filter((frame) => frame > 50).length,
  };
}

async function heap(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return Math.round(usedSize / 1e6);
}
