import { plural } from '../plural.ts';

/** Photos and pictures. */
export const photoMessages = {
  'photos.none': (d: { folder: string }) =>
    `${d.folder} has no photos; put 4 to 6 JPEG, PNG, WebP or HEIC pictures of the subject into it.`,
  'photos.noneOfClass': (d: { folder: string }) =>
    `${d.folder} has no pictures; put JPEG, PNG, WebP or HEIC pictures of other examples of the class into it.`,
  'photos.inSubfolder': (d: { folder: string; below: string; count: number }) =>
    `${d.folder} has no photos itself, but ${d.below} has ${d.count}; give that folder, or move its photos up.`,
  'photos.inSubfolders': (d: { folder: string; folders: string; more: boolean }) =>
    `${d.folder} has no photos itself, but several folders in it do: ${d.folders}${d.more ? ' …' : ''}; give the one with the photos to learn from.`,
  'photos.inArchive': (d: { folder: string; archive: string }) =>
    `${d.folder} has no photos, but ${d.archive} may hold some; unpack it, and give the folder with the photos.`,
  'photos.kohya': (d: { folder: string; repeats: number; token: string; noun: string }) =>
    `The photos are in ${d.folder}, a folder named for kohya's trainer (${plural(d.repeats, 'repeat', 'repeats')}, token "${d.token}", class "${d.noun}"); use --photos "${d.folder}" --token "${d.token}" --class "${d.noun}".`,
  'photos.inCloud': (d: { file: string }) =>
    `${d.file} is in iCloud and not on this machine; download it first ("Download Now" in the Finder).`,
  'photos.noFolder': (d: { folder: string; why: 'gone' | 'file' | 'unreadable' }) =>
    d.why === 'gone'
      ? `${d.folder} is not there; check the path.`
      : d.why === 'file'
        ? `${d.folder} is a file; give the folder with the photos (unpack it first if it is an archive).`
        : `${d.folder} can't be read; check its permissions.`,
  'photos.unreadable': (d: { file: string }) =>
    `${d.file} can't be read; check that it exists and that you may open it.`,
  'photos.raw': (d: { file: string }) =>
    `${d.file} is a camera raw file, and only its small preview could be read; develop it to JPEG, PNG or TIFF in your photo program, or remove it.`,
  'photos.unsupported': (d: { file: string }) =>
    `${d.file} is not a JPEG, PNG, WebP, AVIF, HEIC, TIFF, GIF or BMP picture; save it as one of these, or remove it.`,
  'photos.depth': (d: { file: string }) =>
    `${d.file} stores its colours as floating-point or signed numbers, which do not say how bright white is; save it with 8 or 16 bits a colour, or remove it.`,
  'photos.expands': (d: { file: string }) =>
    `${d.file} contains text that unpacks to more than 4 MB, so it is not opened; save it again as a PNG without text, or remove it.`,
  'photos.broken': (d: { file: string }) =>
    `${d.file} can't be decoded: it is damaged, or stores its colours in a rare way; save it again as a JPEG or PNG, or remove it.`,
  'photos.tooHeavy': (d: { file: string; megabytes: number; max: number }) =>
    `${d.file} has ${d.megabytes} MB, and the limit is ${d.max} MB; save it smaller, or remove it.`,
  'photos.tooLarge': (d: { file: string; megapixels: number; max: number }) =>
    `${d.file} has ${d.megapixels} megapixels, and the limit is ${d.max}; make it smaller.`,
  'photos.tooNarrow': (d: { file: string; width: number; height: number }) =>
    `${d.file} is ${d.width} × ${d.height}, too narrow for a square picture; crop it to the subject.`,
  'masks.otherSize': (d: {
    mask: string;
    width: number;
    height: number;
    photo: string;
    photoWidth: number;
    photoHeight: number;
  }) =>
    `${d.mask} is ${d.width} × ${d.height} but its photo ${d.photo} is ${d.photoWidth} × ${d.photoHeight} when upright; save the mask in the photo's size, or remove it.`,
  'masks.empty': (d: { mask: string }) =>
    `${d.mask} is black all over; paint the subject white in it, or remove it.`,
  'masks.transparent': (d: { photo: string }) =>
    `${d.photo} is transparent all over; save it without transparency, or remove it.`,
  'masks.outside': (d: { mask: string; file: string }) =>
    `${d.mask} puts the subject outside the square of ${d.file} that is trained on; crop the photo to the subject, or correct the mask.`,
  'picture.notPng': (d: { file: string }) =>
    `${d.file} is not a readable PNG file; only PNG pictures carry a recipe.`,
  'picture.noRecipe': (d: { file: string; by?: string | undefined }) =>
    `${d.file} carries no Likeness recipe${d.by === undefined ? '' : `, only settings of ${d.by}, with which it can't be made again here`}; use a PNG made by Likeness whose text chunks no other program has removed.`,
  'picture.badRecipe': (d: { file: string; why: string }) =>
    `The recipe in ${d.file} can't be used: ${d.why}.`,
};
