import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { StudioProcess } from '../studioProcess.ts';

/** Seconds on the clock and of the processors, since the step began. */
interface Step {
  readonly wall: number;
  readonly cpu: number;
}

/**
 * A new person's first hour, in a browser, with the real workers: the sample, then photos of their own. What each step took; with
 * `out`, a picture of what was seen at its end. `photos`: files of a subject, which is a `classNoun`.
 */
export async function liveFirstHour(
  browser: Browser,
  library: string,
  {
    photos,
    classNoun,
    out,
  }: { readonly photos: readonly string[]; readonly classNoun: string; readonly out?: string | undefined },
): Promise<Record<string, Step>> {
  const env = { ...process.env, LIKENESS_CACHE: `${library}.cache` };
  const studio = await StudioProcess.start(library, env);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(1_200_000);
  if (out !== undefined) mkdirSync(out, { recursive: true });
  const steps: Record<string, Step> = {};
  const step = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    const [begun, before] = [performance.now(), cpuSeconds(studio.pid)];
    await work();
    const [wall, cpu] = [(performance.now() - begun) / 1000, cpuSeconds(studio.pid) - before];
    steps[name] = { wall: Number(wall.toFixed(1)), cpu: Number(cpu.toFixed(1)) };
    console.log(name, JSON.stringify(steps[name]));
    if (out === undefined) return;
    await page.waitForTimeout(300);
    const number = String(Object.keys(steps).length).padStart(2, '0');
    await page.screenshot({ path: path.join(out, `${number} ${name}.png`) });
  };
  const click = (name: string | RegExp): Promise<void> =>
    page
      .getByRole('button', { name, exact: typeof name === 'string' })
      .first()
      .click();
  const picture = page.getByRole('region', { name: 'Pictures', exact: true });
  try {
    await step('welcome', async () => {
      await page.goto(studio.url);
      await page.getByRole('heading', { level: 1 }).waitFor();
    });
    await step('the sample', async () => {
      await click('Try it with a potted plant');
      await page.getByText(/5 photos, .*Ready to train\./).waitFor();
    });
    await step('training: to the presets', async () => {
      await click('Go to training');
      await page.getByRole('radio').first().waitFor();
    });
    // The dry run that has begun makes way.
    await step('training: Quick, to its end', async () => {
      await page.getByRole('radio', { name: /Quick/ }).check();
      await click(/^Train /);
      await page.getByText('Done', { exact: true }).first().waitFor();
    });
    await step('pictures: the first preview', async () => {
      await click('Make pictures');
      await click(/^Make \d pictures/);
      await page.getByAltText('The picture so far').first().waitFor();
    });
    await step('pictures: four', () => picture.getByText('4 pictures made').waitFor());
    await step('pictures again: the first preview', async () => {
      await click(/^Make \d pictures/);
      await page.getByAltText('The picture so far').first().waitFor();
    });
    await step('pictures again: four', () => picture.getByText('4 pictures made').waitFor());
    await step('photos of their own', () => addSubject(page, photos, classNoun));
    await step('their own run: until this machine is measured', async () => {
      await click('Train');
      await page.getByText('measured here').first().waitFor();
    });
    await step('their own run, Balanced', async () => {
      await page.getByRole('radio', { name: /Balanced/ }).check();
      await click(/^Train /);
      await page.getByText('Done', { exact: true }).first().waitFor();
    });
    await step('scores', async () => {
      await click('Scores');
      await click('Measure');
      await page.getByText(/^Checkpoint to keep/).waitFor();
    });
    await step('pictures with the best checkpoint', async () => {
      await click(/^Make pictures with step/);
      await click(/^Make \d pictures/);
      await picture.getByText('4 pictures made').waitFor();
    });
    await step('one of them, large', async () => {
      await picture
        .getByRole('button', { name: /^Open: / })
        .first()
        .click();
      await page.getByText('1 of 4').waitFor();
    });
    await step('an export', async () => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+k');
      await page.keyboard.type('export weights');
      await page.keyboard.press('Enter');
      await click('Export');
      await page.getByText('Read back and verified').waitFor();
    });
    return steps;
  } finally {
    if (out !== undefined) await page.screenshot({ path: path.join(out, 'last.png') });
    await context.close();
    await studio.stop();
  }
}

async function addSubject(page: Page, photos: readonly string[], classNoun: string): Promise<void> {
  await page.keyboard.press('Escape');
  await page.goto(page.url().replace(/#.*/, '#/subjects'));
  await page.getByRole('button', { name: 'New subject' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Mine');
  await page.getByRole('combobox', { name: 'What is it?' }).fill(classNoun);
  await page.keyboard.press('Enter');
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Browse' }).click();
  await (await choosing).setFiles([...photos]);
  await page.getByText(/Ready to train\./).waitFor();
}

/** Of a process and those it started and that ended, and of those that run. Linux counts in hundredths. */
function cpuSeconds(pid: number): number {
  const ticks = (id: number): number => {
    try {
      const fields = readFileSync(`/proc/${id}/stat`, 'utf8').split(') ')[1]?.split(' ').map(Number) ?? [];
      const children = readFileSync(`/proc/${id}/task/${id}/children`, 'utf8');
      const own = [11, 12, 13, 14].reduce((sum, at) => sum + (fields[at] ?? 0), 0);
      return children
        .split(' ')
        .filter(Boolean)
        .reduce((sum, child) => sum + ticks(Number(child)), own);
    } catch {
      return 0;
    }
  };
  return ticks(pid) / 100;
}
