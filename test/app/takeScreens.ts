/** Takes a picture of every screen and dialog, light and dark: `npx tsx test/app/takeScreens.ts [NAME…]` → test/app/screens. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { openBrowser } from './browser.ts';
import { enter, places } from './places.ts';
import { buildStudio, newLibrary, removeLibraries, serveLibrary } from './served.ts';
import { makeUsedLibrary } from './usedLibrary.ts';

const folder = path.join(import.meta.dirname, 'screens');
const wanted = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

buildStudio();
const library = newLibrary();
await makeUsedLibrary(library);
const studio = await serveLibrary(library);
const browser = await openBrowser();
try {
  for (const place of places.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    // A person who was never here: no screen depends on the one before.
    const viewport = { width: 1280, height: 800 };
    const page = await browser.newPage({ viewport, colorScheme: 'light', reducedMotion: 'reduce' });
    await enter(page, studio.url, place);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(300);
      const png = await sharp(await page.screenshot())
        .png({ palette: true, colours: 200 })
        .toBuffer();
      writeFileSync(path.join(folder, `${place.name}-${colorScheme}.png`), png);
    }
    await page.close();
  }
} finally {
  await browser.close();
  await studio.close();
  removeLibraries();
}
