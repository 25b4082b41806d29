import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  copyThreshold,
  photoViews,
  printsOf,
  resemblance,
  type PhotoViews,
} from '../../../src-main/engine/evaluation/memorization.ts';
import { listPictures, loadPicture } from '../../../src-main/engine/pictures/pictures.ts';
import type { Picture } from '../../../src-main/engine/pictures/pixels.ts';

/** The shipped sample subject: photos of one thing in several places. */
let photos: Picture[] = [];
let views: PhotoViews[] = [];
let threshold = 1;

beforeAll(async () => {
  for (const file of await listPictures('resources/sample-subject')) photos.push(await loadPicture(file));
  views = photos.map(photoViews);
  threshold = copyThreshold(photos, views);
  return () => (photos = []);
});

const open = ({ data, width, height }: Picture): Sharp =>
  sharp(data, { raw: { width, height, channels: 3 } });
const decoded = async (encoded: Sharp): Promise<Picture> => {
  const bytes = await encoded.toBuffer();
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
};
const small = (photo: Picture): Sharp => open(photo).resize(128, 128, { fit: 'cover' });
const cropped = (photo: Picture, share: number, across: number): Sharp => {
  const side = Math.round(Math.min(photo.width, photo.height) * share);
  const left = Math.round((photo.width - side) * across);
  return open(photo)
    .extract({ left, top: photo.height - side, width: side, height: side })
    .resize(128, 128);
};

const plants: Record<string, (photo: Picture) => Sharp> = {
  pasted: (photo) => small(photo).png(),
  mirrored: (photo) => small(photo).flop().png(),
  're-encoded': (photo) => small(photo).jpeg({ quality: 60 }),
  'cropped by 5 %': (photo) => cropped(photo, 0.95, 0.4).jpeg({ quality: 60 }),
  'cropped by 10 % and mirrored': (photo) => cropped(photo, 0.9, 1).flop().jpeg({ quality: 60 }),
  'a little brighter': (photo) => small(photo).modulate({ brightness: 1.1 }).png(),
};

describe('a copy of a photo', () => {
  it.each(Object.entries(plants))('is found when %s', async (_, plant) => {
    for (const [i, photo] of photos.entries())
      expect(resemblance(printsOf(await decoded(plant(photo))), views[i] as PhotoViews)).toBeGreaterThan(
        threshold,
      );
  });

  it('is found in a photo that is not square', async () => {
    const wide = await decoded(
      open(photos[0] as Picture)
        .resize(240, 160, { fit: 'fill' })
        .png(),
    );
    const middle = await decoded(open(wide).extract({ left: 40, top: 0, width: 160, height: 160 }).png());
    const squeezed = await decoded(open(wide).resize(128, 128, { fit: 'fill' }).png());
    for (const plant of [middle, squeezed])
      expect(resemblance(printsOf(plant), photoViews(wide))).toBeGreaterThan(0.98);
  });
});

it('other photos of the subject are none', async () => {
  for (const [i, photo] of photos.entries()) {
    const other = await decoded(small(photo).png());
    for (const [j, view] of views.entries())
      if (j !== i) expect(resemblance(printsOf(other), view)).toBeLessThan(threshold);
  }
});

it('keeps its threshold within bounds, whatever the photos', () => {
  const [photo] = photos as [Picture];
  expect(copyThreshold([photo], [photoViews(photo)])).toBe(0.9);
  expect(copyThreshold([photo, photo], [photoViews(photo), photoViews(photo)])).toBe(0.96);
});
