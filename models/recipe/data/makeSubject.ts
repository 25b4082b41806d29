/**
 * Photographs one object from several sides in several places: a subject folder for finetuning.
 *
 *   npx tsx models/recipe/data/makeSubject.ts --object BlendSwap-CC-0/teddyBear --to FOLDER
 *     [--out CACHE] [--size 512] [--count 5] [--seed 1] [--scenes park,wood-floor,…]
 *   npx tsx models/recipe/data/makeSubject.ts --object held --to FOLDER     one folder for every held-out object
 *
 * Writes `00.jpg`… and `subject.json` {classNoun, title, licence, credit, object, scenes}.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { heldOutIds } from './heldOut.ts';
import { catalogSubjects } from '../render/objects.ts';
import type { Subject } from '../render/objects.ts';
import { loadPanorama, panoramaNames } from '../render/panorama.ts';
import { cacheFolder, numberOption, option } from '../paths.ts';
import { photograph, randomPose } from '../render/photograph.ts';
import { mixSeed, Random } from '../render/random.ts';
import { scenes } from '../render/scenes.ts';

/** Azimuths that show an object all round, in the order they are taken. */
const sides = [-0.4, 0.5, 0.05, -0.75, 0.8, 2.6, -2.4];

async function photographSubject(subject: Subject, folder: string, cache: string): Promise<void> {
  const { entry } = subject;
  if (!entry) return;
  const size = numberOption('size', 512);
  const count = numberOption('count', 5);
  const random = new Random(mixSeed(numberOption('seed', 1), subject.id));
  const panoramas = new Map(panoramaNames.map((name) => [name, loadPanorama(cache, name)]));
  const wanted = option('scenes', 'park,wood-floor,city,table,beach,room,bricks').split(',');
  const { mesh } = await subject.load(random);
  mkdirSync(folder, { recursive: true });
  for (let k = 0; k < count; k++) {
    const key = wanted[k % wanted.length];
    const scene = scenes.find((s) => s.key === key);
    if (!scene)
      throw new Error(`There is no scene "${key}"; scenes are ${scenes.map((s) => s.key).join(', ')}.`);
    const pose = {
      ...randomPose(mesh, random),
      azimuth: (sides[k % sides.length] ?? 0) + random.range(-0.1, 0.1),
    };
    const pixels = photograph(
      mesh,
      scene.make(random, panoramas),
      { ...pose, fill: random.range(0.62, 0.8) },
      random,
      size,
    );
    const file = join(folder, `${String(k).padStart(2, '0')}.jpg`);
    await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
      .jpeg({ quality: 88 })
      .toFile(file);
  }
  const about = {
    classNoun: subject.nouns[0],
    title: entry.name,
    licence: entry.licence,
    credit: `3D model "${entry.name}" by ${entry.creator}, from the Sweet Home 3D catalogue; photographs rendered by models/recipe`,
    object: subject.id,
    scenes: Array.from({ length: count }, (_, k) => wanted[k % wanted.length]),
  };
  writeFileSync(join(folder, 'subject.json'), JSON.stringify(about, null, 2) + '\n');
}

const cache = cacheFolder();
const to = option('to', '');
const object = option('object', '');
if (!to || !object) throw new Error('Give --object (an id of the catalogue, or "held") and --to (a folder).');
const all = catalogSubjects(cache);
const held = heldOutIds();
const chosen = object === 'held' ? all.filter((s) => held.has(s.id)) : all.filter((s) => s.id === object);
if (chosen.length === 0) throw new Error(`There is no object "${object}".`);
for (const subject of chosen) {
  await photographSubject(subject, object === 'held' ? join(to, subject.id.replace('/', '-')) : to, cache);
}
