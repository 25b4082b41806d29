/**
 * How fast the studio is, in a real browser on the real server: `npx tsx test/app/measure/measure.ts [launch] [gallery] [story] [hour]`.
 * `--library DIR`: where the library with 100,000 pictures is kept between measurements; it is made when it is not there.
 * Wants a machine that does nothing else. Figures found: README.md.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { listPictures } from '../../../src-main/engine/pictures/pictures.ts';
import { shippedFiles } from '../../../src-main/shipped.ts';
import { openBrowser } from '../browser.ts';
import { buildStudio, newLibrary, removeLibraries } from '../served.ts';
import { makeUsedLibrary } from '../usedLibrary.ts';
import { liveFirstHour } from './firstHour.ts';
import { measureGallery } from './gallery.ts';
import { measureLaunch } from './launch.ts';
import { measureStory } from './story.ts';

const images = 100_000;
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    ...{ library: { type: 'string' }, built: { type: 'boolean' } },
    // For `hour`: a folder with a subject's photos, what it is, and a folder for pictures of what is seen.
    ...{ photos: { type: 'string', default: shippedFiles().sample.photos }, out: { type: 'string' } },
    class: { type: 'string', default: 'potted plant' },
  },
});
const wanted = (part: string): boolean => positionals.length === 0 || positionals.includes(part);
const tell = (what: string, figures: unknown): void => console.log(what, JSON.stringify(figures));

if (!values.built) buildStudio();
const large = values.library ?? newLibrary();
if ((wanted('gallery') || wanted('launch')) && !existsSync(large)) await makeUsedLibrary(large, images);

const browser = await openBrowser();
try {
  if (wanted('launch')) {
    const small = newLibrary();
    await makeUsedLibrary(small);
    for (let time = 1; time <= 3; time++) tell('launch, 128 pictures', await measureLaunch(browser, small));
    tell('launch, 100,000 pictures', await measureLaunch(browser, large));
  }
  if (wanted('gallery')) tell('gallery', await measureGallery(browser, large, images));
  if (wanted('hour')) {
    const photos = await listPictures(values.photos);
    tell(
      'the first hour',
      await liveFirstHour(browser, newLibrary(), { photos, classNoun: values.class, out: values.out }),
    );
  }
  if (wanted('story')) tell('longest blocks in each part of the story', await measureStory());
} finally {
  await browser.close();
  removeLibraries();
}
