import type { Browser } from 'playwright-core';
import { counting, StudioProcess } from '../studioProcess.ts';

export interface Launch {
  /** All in ms since `likeness serve` was started. */
  readonly address: number;
  readonly firstPaint: number;
  readonly usable: number;
}

/** Starts the server and opens its page in a browser without a cache; usable: the subjects are there and a key is obeyed. */
export async function measureLaunch(browser: Browser, library: string): Promise<Launch> {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  await page.addInitScript(`
    const look = () => document.querySelector('main a[href^="#/subjects/"]') ? performance.mark('usable') : requestAnimationFrame(look);
    requestAnimationFrame(look)`);
  const studio = await StudioProcess.start(library, counting(library));
  const address = Date.now() - studio.started;
  try {
    await page.goto(`${studio.url}#/subjects`);
    await page.locator('main a[href^="#/subjects/"]').first().waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    const [painted, usable] = await page.evaluate<number[]>(
      "['first-contentful-paint', 'usable'].map((name) => performance.timeOrigin + performance.getEntriesByName(name)[0].startTime)",
    );
    const since = (time = NaN): number => Math.round(time - studio.started);
    return { address, firstPaint: since(painted), usable: since(usable) };
  } finally {
    await page.context().close();
    await studio.stop();
  }
}
