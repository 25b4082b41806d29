import { findSubjects } from '../../../src-shared/segmentation/findSubjects.ts';
import { snapToEdge } from '../../../src-shared/segmentation/snapToEdge.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { sharp } from '../../sharp.ts';
import { prepareOutput } from '../../engine/checkpoints/outputFile.ts';
import { writeAtomically } from '../../engine/checkpoints/writeSafetensors.ts';
import { loadPicture, loadPictureOn } from '../../engine/pictures/pictures.ts';
import { greyAt, type Picture } from '../../engine/pictures/pixels.ts';

export interface MaskRequest {
  readonly photo: string;
  readonly out: string;
  /** "x,y,width,height" in pixels of the upright photo. */
  readonly ellipse?: string | undefined;
  /** A picture of the photo's shape, white where it was painted. */
  readonly strokes?: string | undefined;
}

/**
 * Writes a mask for a photo: what an ellipse or strokes mark roughly, snapped to the edge; without either, the
 * subject that stands out. Returns the subject's share of the photo.
 * Errors: `mask.rough`, `mask.nothing`, `mask.otherShape`, those of `loadPicture` and `prepareOutput`.
 */
export async function makeMask({ photo, out, ellipse, strokes }: MaskRequest): Promise<{ share: number }> {
  const picture = await loadPicture(photo);
  await prepareOutput(out, 'a mask', () => isMask(out));
  if (ellipse !== undefined && strokes !== undefined) throw problem('mask.rough', { photo });
  const rough =
    ellipse !== undefined
      ? inEllipse(ellipse, photo, picture)
      : strokes !== undefined
        ? await painted(strokes, photo, picture)
        : undefined;
  if (rough && !rough.some((value) => value >= 128)) throw problem('mask.rough', { photo });
  const [found = new Uint8Array()] = rough ? [snapToEdge(picture, rough)] : findSubjects([picture]);
  if (!found.some((value) => value >= 128)) throw problem('mask.nothing', { photo });
  const { width, height } = picture;
  const png = await sharp(found, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
  writeAtomically(out, () => [png]);
  return { share: found.reduce((sum, value) => sum + value, 0) / (255 * found.length) };
}

/** Whether a picture is as good as black and white; a photo is not. */
async function isMask(file: string): Promise<boolean> {
  const { data } = await loadPicture(file);
  let clear = 0;
  for (let at = 0; at < data.length; at += 3) {
    const [red = 0, green, blue] = data.subarray(at, at + 3);
    if (red !== green || red !== blue) return false;
    if (red < 32 || red >= 224) clear++;
  }
  return clear > 0.9 * (data.length / 3);
}

function inEllipse(box: string, photo: string, { width, height }: Picture): Uint8Array {
  const [x = NaN, y = NaN, across = NaN, down = NaN, ...more] = box.split(',').map(Number);
  if (![x, y, across, down].every(Number.isFinite) || across <= 0 || down <= 0 || more.length > 0)
    throw problem('mask.rough', { photo });
  return Uint8Array.from({ length: width * height }, (_, at) => {
    const [column, row] = [(at % width) + 0.5, Math.floor(at / width) + 0.5];
    const [dx, dy] = [(column - x - across / 2) / (across / 2), (row - y - down / 2) / (down / 2)];
    return dx * dx + dy * dy <= 1 ? 255 : 0;
  });
}

async function painted(file: string, photo: string, { width, height }: Picture): Promise<Uint8Array> {
  const mask = await loadPictureOn('black', file);
  if (mask.width !== width || mask.height !== height)
    throw problem('mask.otherShape', { mask: file, image: photo, width, height });
  return Uint8Array.from({ length: width * height }, (_, at) => greyAt(mask, at));
}
