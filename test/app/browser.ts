import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

/** Where Chromium, Chrome and Edge are installed, the one named by the user first. */
const places = [
  process.env['LIKENESS_BROWSER'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/microsoft-edge',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/** A browser's program; undefined where none is installed. */
export const browserProgram = places.find((place) => place !== undefined && existsSync(place));
export const noBrowser =
  'no Chromium, Chrome or Edge was found: apt-get install chromium, or set LIKENESS_BROWSER to one';

/** As root, as in containers, Chromium's own sandbox refuses to start; /dev/shm is often tiny there. */
export const browserWords = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-dev-shm-usage',
];

/** A real browser without a window. Throws where none is installed, saying what to install. */
export async function openBrowser(): Promise<Browser> {
  if (browserProgram === undefined) throw new Error(noBrowser);
  return chromium.launch({ executablePath: browserProgram, args: browserWords, timeout: 180_000 });
}
