/**
 * What the sweep's measure says of perfect pictures: the same objects, photographed anew where the sweep asks for them. First
 *
 *   npx tsx models/recipe/data/makeSubject.ts --out DATA --object held --to DATA/anew --size 128 --count 4 --seed 9 --scenes snow,beach,forest,bricks
 *   npx tsx models/recipe/sweep/idealPictures.ts --out DATA [--real FOLDER] [--subjects A,B]
 *
 * Prints, for several amounts of blur, the share of pictures whose nearest subject is the right one.
 */
import { join } from 'node:path';
import { MobileNetFeatures } from '../../../src-main/engine/evaluation/mobileNetFeatures.ts';
import { side } from '../settings.ts';
import { option, outFolder, repositoryFolder } from '../paths.ts';
import { blurred } from './blurred.ts';
import { Gallery } from './gallery.ts';
import { photographedSubjects, photosOf, renderedSubjects } from './subjects.ts';

/** Standard deviations of the blur in pixels. */
const blurs = [0, 1, 2];

const features = await MobileNetFeatures.open(
  join(repositoryFolder, 'resources', 'scorers', 'mobilenet-v2.safetensors'),
);
const real = option('real', '');
const subjects = [
  ...renderedSubjects(join(outFolder(), 'subjects')),
  ...(real ? photographedSubjects(real) : []),
];
const gallery = await Gallery.open(subjects, features, side);
const asked = option('subjects', '').split(',').filter(Boolean);
const anew = renderedSubjects(join(outFolder(), 'anew')).filter(
  ({ name }) => asked.length === 0 || asked.includes(name),
);
for (const blur of blurs) {
  const shares: number[] = [];
  for (const subject of anew) {
    const photos = await photosOf(subject, side);
    const pictures = blur === 0 ? photos : await Promise.all(photos.map((photo) => blurred(photo, blur)));
    const found = await gallery.nearest(pictures, subject.name);
    shares.push(found.filter(({ nearest }) => nearest === subject.name).length / found.length);
    if (blur === 0) console.log(`${subject.name}: ${shares.at(-1) ?? NaN}`);
  }
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  console.log(`${shares.length} subjects, blurred by ${blur} pixels: ${mean.toFixed(3)}`);
}
await features.dispose();
