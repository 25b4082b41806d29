import type { CaptionFault } from '../../../src-shared/domain/caption.ts';
import { plural } from '../../../src-shared/plural.ts';

export const photos = {
  add: 'Add photos',
  drop: 'Drop photos or a folder here, or paste them',
  adding: 'Reading the photos…',
  advice: 'Vary the angle, the background and the light. Show one subject, sharp and not cut off.',
  browse: 'Browse',
  watch: 'Watch a folder',
  watching: (folder: string) => `New pictures in ${folder} are added automatically.`,
  unwatch: 'Stop watching',
  added: (added: number, duplicates: number) =>
    [
      added > 0 ? `${plural(added, 'photo was', 'photos were')} added.` : '',
      duplicates > 0 ? `${plural(duplicates, 'was', 'were')} already here.` : '',
    ]
      .filter(Boolean)
      .join(' '),
  refusedTitle: (count: number) => `${plural(count, 'file', 'files')} could not be used`,
  ready: (count: number, marked: number) =>
    `${plural(count, 'photo', 'photos')}, ${marked === 0 ? 'no problems found' : `${marked} to look at`}. Ready to train.`,
  open: (name: string) => `Open ${name}`,
  before: 'Previous photo',
  after: 'Next photo',
  cropNow: 'Crop',
  mask: 'Mask',
  noMask: 'none',
  size: 'Size',
  file: 'File',
  addedAt: 'Added',
  square: 'Training sees',
  squareOf: (side: number) => `a square of ${side} pixels`,
  squareMiddle: 'the middle',
  captionName: 'Caption',
  fine: 'No problems found.',
  crop: (name: string) => `Crop ${name}`,
  cropTitle: (name: string) => `Crop ${name}`,
  cropHint:
    'Training uses the square. Drag it to move it, or drag its corner to resize it. Keyboard: arrow keys move, + and − resize, Shift takes larger steps.',
  cropArea: (side: number, x: number, y: number) => `Square of ${side} pixels at ${x}, ${y}`,
  cropSize: (side: number) => `${side} × ${side} pixels`,
  cropKeep: 'Use this crop',
  cropReset: 'Centre',
  cropped: (name: string) => `${name} was cropped.`,
  caption: (name: string) => `Caption of ${name}`,
  captionNone: ({ token, classNoun }: { token: string; classNoun: string }) =>
    `a photo of ${token} ${classNoun}`.trim(),
  captionFault: (fault: CaptionFault, token: string) =>
    fault.kind === 'placeholder'
      ? `The caption has ${fault.name} in it, which stands for nothing. Only {token} and {class} are replaced.`
      : `The caption does not name the subject: write {token} {class} in it, or “${token}” will not mean it.`,
  captioned: (name: string) => `The caption of ${name} was saved.`,
  missing: 'The file is no longer in the library folder. Put it back, or remove the photo.',
};
