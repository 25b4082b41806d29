/**
 * Pictures of the places that a model knows, with nothing in them: what finetuning puts a cut-out subject into.
 *
 *   npx tsx models/recipe/data/makePlaces.ts --to FOLDER [--out CACHE] [--size 128] [--count 2] [--seed 1]
 *
 * Writes "in the forest 1.jpg", …: the words are those of a scene that `train/likeness.json` lists.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { ownScenes } from '../../../src-main/features/training/ownSettings.ts';
import { cacheFolder, numberOption, option, repositoryFolder } from '../paths.ts';
import { loadPanorama, panoramaNames } from '../render/panorama.ts';
import { photographPlace } from '../render/photograph.ts';
import { mixSeed, Random } from '../render/random.ts';
import { scenes } from '../render/scenes.ts';

const listed = ownScenes(join(repositoryFolder, 'models', 'recipe', 'train'));
const to = option('to', '');
if (!to) throw new Error('Give --to (a folder).');
const [size, count, seed] = [numberOption('size', 128), numberOption('count', 2), numberOption('seed', 1)];
const cache = cacheFolder();
const panoramas = new Map(panoramaNames.map((name) => [name, loadPanorama(cache, name)]));
mkdirSync(to, { recursive: true });
for (const words of listed.filter((one) => !one.includes('background'))) {
  const scene = scenes.find((one) => one.phrases.includes(words));
  if (!scene) throw new Error(`No scene is called "${words}".`);
  for (let k = 1; k <= count; k++) {
    const random = new Random(mixSeed(seed, `${words} ${k}`));
    const pixels = photographPlace(scene.make(random, panoramas), random, 2 * size);
    await sharp(pixels, { raw: { width: 2 * size, height: 2 * size, channels: 3 } })
      .resize(size)
      .blur(size / 128)
      .jpeg({ quality: 85 })
      .toFile(join(to, `${words} ${k}.jpg`));
  }
}
