/**
 * Takes a picture of every screen and dialog, light and dark: `npx tsx test/app/takeScreens.ts [NAME…]` → test/app/screens.
 * `--size 640x400 --out DIR`: in another size, to look at and not to keep.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { openBrowser } from './browser.ts';
import { enter, places } from './places.ts';
import { buildStudio, newLibrary, removeLibraries, serveLibrary } from './served.ts';
import { makeUsedLibrary } from './usedLibrary.ts';

const { positionals: wanted, values } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '1280x800' },
    out: { type: 'string', default: path.join(import.meta.dirname, 'screens') },
  },
});
const [width = 1280, height = 800] = values.size.split('x').map(Number);
mkdirSync(values.out, { recursive: true });

buildStudio();
const library = newLibrary();
// Nobody's own folders are in a picture.
process.env['HOME'] = path.dirname(library);
for (const name of ['Documents', 'Models', 'Pictures'])
  mkdirSync(path.join(process.env['HOME'], name), { recursive: true });
await makeUsedLibrary(library);
const studio = await serveLibrary(library);
const browser = await openBrowser();
try {
  for (const place of places.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    // A person who was never here: no screen depends on the one before.
    const viewport = { width, height };
    const page = await browser.newPage({ viewport, colorScheme: 'light', reducedMotion: 'reduce' });
    await enter(page, studio.url, place);
    // Pictures that are in sight are there. Asked from here: the page's policy forbids a script that waits in it.
    const arrived = `[...document.images].every((image) => image.complete || image.getBoundingClientRect().top > innerHeight)`;
    while (!(await page.evaluate<boolean>(arrived))) await page.waitForTimeout(50);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(300);
      const png = await sharp(await page.screenshot())
        .png({ palette: true, colours: 200 })
        .toBuffer();
      writeFileSync(path.join(values.out, `${place.name}-${colorScheme}.png`), png);
    }
    await page.close();
  }
} finally {
  await browser.close();
  await studio.close();
  removeLibraries();
}
