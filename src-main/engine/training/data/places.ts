import { basename, join } from 'node:path';
import { problem } from '../../../../src-shared/messages/index.ts';
import { isFolder } from '../../checkpoints/files.ts';
import { placesFolder } from '../../checkpoints/model.ts';
import { listPictures } from '../../pictures/pictures.ts';
import type { Frame } from './aspectBuckets.ts';
import { loadPhoto } from './photoPixels.ts';

/** A picture of a place without the subject. */
export interface Place {
  /** As prompts say it: "in the snow". */
  readonly words: string;
  /** [3,height,width] in −1…1. */
  readonly picture: Float32Array;
}

/**
 * Pictures of the places that come with a model, in its folder `places`, each named after what prompts say: `in the snow.jpg`, or
 * `in the snow 2.jpg`. Errors: `training.noPlaces`, those of `loadPhoto`.
 */
export async function placesOf(model: string, frame: Frame): Promise<Place[]> {
  const places: Place[] = [];
  for (const file of await placeFiles(model))
    places.push({ words: wordsOf(file), picture: await loadPhoto(file, { frame }) });
  return places;
}

/** Their files. Errors: `training.noPlaces`. */
export async function placeFiles(model: string): Promise<string[]> {
  const folder = join(model, placesFolder);
  const files = isFolder(folder) ? await listPictures(folder) : [];
  if (files.length === 0) throw problem('training.noPlaces', { folder });
  return files;
}

function wordsOf(file: string): string {
  return basename(file)
    .replace(/\.[^.]+$/, '')
    .replace(/ \d+$/, '');
}

/** A photo [3,height,width] in a place: what its mask [height,width] in 0…1 shows lies over the place's picture. */
export function inPlace(photo: Float32Array, mask: Float32Array, { picture }: Place): Float32Array {
  return photo.map((value, i) => {
    const shown = mask[i % mask.length] as number;
    return shown * value + (1 - shown) * (picture[i] as number);
  });
}
