import { plural } from './plural.ts';

export const photos = {
  add: 'Add photos',
  drop: 'Drop photos or a folder here, or paste them',
  adding: 'Reading the photos …',
  advice: 'Different angles, backgrounds and light; one subject, sharp, not cut off.',
  browse: 'Browse',
  watch: 'Watch a folder',
  watching: (folder: string) => `New pictures in ${folder} are added by themselves.`,
  unwatch: 'Stop watching',
  added: (added: number, duplicates: number) =>
    [
      added > 0 ? `${plural(added, 'photo was', 'photos were')} added.` : '',
      duplicates > 0 ? `${plural(duplicates, 'was', 'were')} there already.` : '',
    ]
      .filter(Boolean)
      .join(' '),
  refusedTitle: (count: number) => `${plural(count, 'file', 'files')} could not be used`,
  ready: (count: number, marked: number) =>
    `${plural(count, 'photo', 'photos')}, ${marked === 0 ? 'nothing to complain about' : `${marked} with a remark`}. Ready to train.`,
  crop: (name: string) => `Crop ${name}`,
  cropTitle: (name: string) => `Crop ${name}`,
  cropHint:
    'Training sees the square. Drag it, or its corner to resize; with the keyboard: arrows, + and −, Shift for larger steps.',
  cropArea: (side: number, x: number, y: number) => `Square of ${side} pixels at ${x}, ${y}`,
  cropSize: (side: number) => `${side} × ${side} pixels`,
  cropKeep: 'Use this crop',
  cropReset: 'Centre',
  cropped: (name: string) => `${name} was cropped.`,
  missing: 'The file is gone from the library’s folder; put it back or remove the photo.',
};
