import path from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { grabCut } from '../../../src-shared/segmentation/grabCut.ts';

const fixtures = path.join(import.meta.dirname, '../fixtures/segmentation');
const read = async (name: string, channels: 1 | 3) => {
  const image = sharp(path.join(fixtures, name)).removeAlpha();
  const { data, info } = await (channels === 1 ? image.extractChannel(0) : image.toColourspace('srgb'))
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: new Uint8Array(data) };
};

it("finds the subject that OpenCV's grabCut finds from the same ellipse", async () => {
  const [photo, trimap, expected] = await Promise.all([
    read('photo.png', 3),
    read('trimap.png', 1),
    read('expected.png', 1),
  ]);
  const { subject } = grabCut(photo, trimap.data);
  let [both, either] = [0, 0];
  subject.forEach((value, at) => {
    const wanted = (expected.data[at] as number) > 127;
    if (value === 1 && wanted) both++;
    if (value === 1 || wanted) either++;
  });
  expect(both / either).toBeGreaterThan(0.95);
});
