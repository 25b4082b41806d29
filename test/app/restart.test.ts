import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axe } from './axe.ts';
import { browserProgram, noBrowser, openBrowser } from './browser.ts';
import { buildStudio, newLibrary, removeLibraries } from './served.ts';
import { StudioProcess } from './studioProcess.ts';

const patience = 600_000;
const sessions = (): string => path.join(process.env['LIKENESS_CACHE'] ?? '', 'sessions');

beforeAll(buildStudio, patience);
afterAll(removeLibraries);

describe.skipIf(!browserProgram)(
  `a restart under an open tab${browserProgram ? '' : ` (${noBrowser})`}`,
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await openBrowser();
    }, patience);
    afterAll(() => browser.close());

    const newSubject = async (page: Page, name: string): Promise<void> => {
      await page.keyboard.press('n');
      await page.getByRole('textbox', { name: 'Name' }).fill(name);
      await page.getByRole('button', { name: 'Create' }).click();
      await page.getByRole('heading', { name }).waitFor();
    };

    it(
      'says so and carries on, also after a reload; nobody else comes in',
      { timeout: patience },
      async () => {
        const library = newLibrary();
        let studio = await StudioProcess.start(library);
        const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
        const page = await context.newPage();
        page.setDefaultTimeout(60_000);
        try {
          await page.goto(`${studio.url}#/subjects`);
          await page.getByRole('button', { name: 'Start with my own photos' }).click();
          await page.keyboard.press('Escape');
          await newSubject(page, 'Rex');
          const { origin } = new URL(studio.url);

          await studio.kill();
          await page.getByText('Likeness is not answering').waitFor();
          studio = await StudioProcess.start(library);
          expect(new URL(studio.url).origin).toBe(origin);
          await page.getByText('Likeness is not answering').waitFor({ state: 'detached' });
          await newSubject(page, 'Otto');
          await page.reload();
          await page.getByRole('heading', { name: 'Otto' }).waitFor();

          const [file = ''] = readdirSync(sessions());
          const kept = readFileSync(path.join(sessions(), file), 'utf8');
          const [cookie] = await context.cookies();
          expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
          expect(kept).not.toContain(cookie?.value);
          expect(kept).not.toContain(new URL(studio.url).searchParams.get('token'));
          if (process.platform !== 'win32')
            for (const place of [sessions(), path.join(sessions(), file)])
              expect(statSync(place).mode & 0o077).toBe(0);

          // Its sessions are gone: the tab is told the way back, and a reload tells it too.
          await studio.kill();
          rmSync(sessions(), { recursive: true });
          studio = await StudioProcess.start(library, { ...process.env });
          const moved = new URL(studio.url).origin !== origin;
          if (!moved) await page.getByText('does not know this browser').waitFor();
          await page.goto(new URL(studio.url).origin);
          await page.getByRole('heading', { name: 'This browser needs the address again' }).waitFor();
          expect(await axe(page)).toEqual([]);
          expect(await page.evaluate(`getComputedStyle(document.querySelector('main')).maxWidth`)).toBe(
            '512px',
          );
          await page.goto(`${studio.url}#/subjects`);
          await page.getByRole('link', { name: /Otto/ }).waitFor();
        } finally {
          await context.close();
          await studio.stop();
        }
      },
    );
  },
);
