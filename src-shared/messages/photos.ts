/** Photos and pictures. */
export const photoMessages = {
  'photos.none': (d: { folder: string }) =>
    `${d.folder} has no photos; put 4 to 6 JPEG, PNG or WebP pictures of the subject into it.`,
  'photos.noFolder': (d: { folder: string }) =>
    `${d.folder} is not a folder that can be read; check the path.`,
  'photos.unreadable': (d: { file: string }) =>
    `${d.file} cannot be read; check that it is there and that you may open it.`,
  'photos.heic': (d: { file: string }) =>
    `${d.file} is a HEIC photo, which cannot be read here; export it as JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible).`,
  'photos.unsupported': (d: { file: string }) =>
    `${d.file} is not a JPEG, PNG, WebP, AVIF, TIFF or GIF picture inside; save it as one of these or take it out.`,
  'photos.broken': (d: { file: string }) =>
    `${d.file} is damaged and cannot be decoded; save it again or take it out.`,
  'photos.tooHeavy': (d: { file: string; megabytes: number; max: number }) =>
    `${d.file} has ${d.megabytes} MB, more than the ${d.max} that are read; save it smaller or take it out.`,
  'photos.tooLarge': (d: { file: string; megapixels: number; max: number }) =>
    `${d.file} has ${d.megapixels} megapixels, more than the ${d.max} that are read; make it smaller.`,
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
    `${d.mask} is ${d.width} × ${d.height} and its photo ${d.photo} ${d.photoWidth} × ${d.photoHeight} when it is upright; save the mask in the photo's size, or take it out.`,
  'masks.empty': (d: { mask: string }) =>
    `${d.mask} is black all over; paint the subject white in it, or take it out.`,
  'masks.outside': (d: { mask: string; file: string }) =>
    `By ${d.mask} the subject is not in the square of ${d.file} that is trained on; crop the photo to the subject, or correct the mask.`,
  'picture.notPng': (d: { file: string }) =>
    `${d.file} is not a PNG file that can be read; recipes are kept in PNG pictures.`,
  'picture.noRecipe': (d: { file: string }) =>
    `${d.file} carries no recipe; give a PNG that was made here and not stripped of its text by another program.`,
  'picture.badRecipe': (d: { file: string; why: string }) =>
    `The recipe in ${d.file} cannot be used: ${d.why}.`,
};
