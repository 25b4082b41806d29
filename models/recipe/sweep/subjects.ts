import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resize } from '../../../src-main/engine/pictures/resample.ts';
import { listPictures, loadPicture } from '../../../src-main/engine/pictures/pictures.ts';
import type { Picture } from '../../../src-main/engine/pictures/pixels.ts';

/** A subject that the model was never trained on. */
export interface Subject {
  readonly name: string;
  readonly classNoun: string;
  readonly kind: 'render' | 'photo';
  /** Its photos. */
  readonly folder: string;
}

/** Rendered subjects of `makeSubject.ts`, each with its `subject.json`. */
export function renderedSubjects(folder: string): Subject[] {
  return folders(folder)
    .filter((name) => existsSync(join(folder, name, 'subject.json')))
    .map((name) => {
      const { classNoun } = JSON.parse(readFileSync(join(folder, name, 'subject.json'), 'utf8')) as {
        classNoun: string;
      };
      return { name, classNoun, kind: 'render', folder: join(folder, name) };
    });
}

/** Sets of real photos, in folders named after what they show: "dog", "duck_toy" (a toy). */
export function photographedSubjects(folder: string): Subject[] {
  return folders(folder).map((name) => ({
    name,
    classNoun: name.split('_').at(-1) ?? name,
    kind: 'photo',
    folder: join(folder, name),
  }));
}

/** The photos' middle squares at the model's size: as sharp as what it draws. */
export async function photosOf({ folder }: Subject, size: number): Promise<Picture[]> {
  const photos: Picture[] = [];
  for (const file of await listPictures(folder)) {
    const whole = await loadPicture(file);
    const short = Math.min(whole.width, whole.height);
    photos.push(resize(middleSquare(whole, short), size, size, 'bilinear'));
  }
  return photos;
}

function middleSquare({ data, width, height }: Picture, side: number): Picture {
  const [left, top] = [Math.floor((width - side) / 2), Math.floor((height - side) / 2)];
  const square = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    const from = ((top + y) * width + left) * 3;
    square.set(data.subarray(from, from + side * 3), y * side * 3);
  }
  return { width: side, height: side, data: square };
}

function folders(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
