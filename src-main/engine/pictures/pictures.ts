import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sharp, type Sharp } from '../../sharp.ts';
import { LikenessError, problem } from '../../../src-shared/messages/index.ts';
import { errorCode } from '../checkpoints/files.ts';
import { decodeBmp, type Pixels } from './bmp.ts';
import { decodeHeic } from './heic.ts';
import { claimsPicture, inCloudAlone, pictureKind } from './pictureKinds.ts';
import type { Picture } from './pixels.ts';
import { expandsWithin, withProfile } from './png.ts';

const maxMegapixels = 120;
/** HEIC is held twice while it is decoded. */
const maxHeicMegapixels = 64;
const secondsToDecode = 60;

const naturally = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** Orders names as people count: 2.png before 10.png. */
export function naturalOrder(a: string, b: string): number {
  return naturally.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/**
 * The folder's pictures in natural order of name, as paths. JPEG, PNG, WebP, AVIF, HEIC, TIFF, GIF and BMP by content; hidden files,
 * folders, links to folders and files that neither are nor claim to be pictures are passed over.
 * Errors: `photos.noFolder`, `photos.inCloud`, `photos.raw`, `photos.unsupported`, `photos.tooHeavy`.
 */
export async function listPictures(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw noFolder(folder, cause);
  });
  const pictures: string[] = [];
  for (const entry of entries) {
    const inCloud = inCloudAlone(entry.name);
    if (inCloud !== undefined) throw problem('photos.inCloud', { file: join(folder, inCloud) });
    if (!(await mayBePicture(folder, entry))) continue;
    const file = join(folder, entry.name);
    const kind = await pictureKind(file);
    if (kind === 'raw') throw problem('photos.raw', { file });
    if (kind !== 'other') pictures.push(file);
    else if (claimsPicture.test(entry.name)) throw problem('photos.unsupported', { file });
  }
  return pictures.sort(naturalOrder);
}

/** Whether something in a folder is neither hidden, nor a folder, nor a link to one. */
export async function mayBePicture(folder: string, entry: Dirent): Promise<boolean> {
  if (entry.name.startsWith('.')) return false;
  if (!entry.isSymbolicLink()) return entry.isFile();
  return stat(join(folder, entry.name)).then(
    (stats) => !stats.isDirectory(),
    () => true,
  );
}

/** Why a folder of photos could not be listed. */
export function noFolder(folder: string, cause: unknown): Error {
  const whys = { ENOENT: 'gone', ENOTDIR: 'file' } as const;
  const code = errorCode(cause);
  const why = code === 'ENOENT' || code === 'ENOTDIR' ? whys[code] : 'unreadable';
  return problem('photos.noFolder', { folder, why }, cause);
}

/**
 * What to open with sharp: the file, or its pixels as a PNG where sharp can't decode it. Its size and what it unpacks to are
 * checked before it is decoded. Errors: those of `loadPicture`.
 */
export async function openPicture(file: string): Promise<string | Buffer> {
  const kind = await pictureKind(file);
  if (kind === 'raw') throw problem('photos.raw', { file });
  if (kind === 'other') throw problem('photos.unsupported', { file });
  const mayBe = (width: number, height: number, max = maxMegapixels): void => {
    const megapixels = (width * height) / 1e6;
    if (megapixels > max) throw problem('photos.tooLarge', { file, megapixels: Math.round(megapixels), max });
  };
  const broken = (cause: unknown): Error =>
    cause instanceof LikenessError ? cause : problem('photos.broken', { file }, cause);
  try {
    if (kind === 'bmp') return await asPng(decodeBmp(await readFile(file), mayBe));
    if (kind === 'png' && !(await expandsWithin(file))) throw problem('photos.expands', { file });
    const { width, height, depth, icc } = await sharp(file, { limitInputPixels: false }).metadata();
    mayBe(width, height, kind === 'heic' ? maxHeicMegapixels : maxMegapixels);
    if (depth !== 'uchar' && depth !== 'ushort') throw problem('photos.depth', { file });
    if (kind !== 'heic') return file;
    return await asPng(await decodeHeic(await readFile(file), secondsToDecode), icc);
  } catch (cause) {
    throw broken(cause);
  }
}

async function asPng({ width, height, data }: Pixels, profile?: Buffer): Promise<Buffer> {
  const raw = sharp(data, { raw: { width, height, channels: 4 } });
  const png = await raw.png({ compressionLevel: 1 }).toBuffer();
  return profile ? withProfile(png, profile) : png;
}

/** Decodes to bytes, upright, with the colour profile applied. A damaged file is an error, not a picture that is half grey. */
export function decoding(input: string | Buffer): Sharp {
  return sharp(input, { failOn: 'error', limitInputPixels: maxMegapixels * 1e6, pages: 1 })
    .timeout({ seconds: secondsToDecode })
    .autoOrient();
}

/**
 * Decodes a picture to sRGB bytes: turned as EXIF says, colour profile applied, CMYK, grey and 16 bit converted, the
 * transparent laid on white, the first frame of an animation. Errors: `photos.unreadable`, `photos.raw`, `photos.unsupported`,
 * `photos.depth`, `photos.expands`, `photos.tooHeavy`, `photos.tooLarge`, `photos.broken`.
 */
export function loadPicture(file: string): Promise<Picture> {
  return loadPictureOn('white', file);
}

/** The same on a background of another colour. */
export async function loadPictureOn(background: 'white' | 'black', file: string): Promise<Picture> {
  const input = await openPicture(file);
  try {
    const { data, info } = await decoding(input)
      .flatten({ background })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`${info.channels} channels after conversion to sRGB`);
    return { width: info.width, height: info.height, data };
  } catch (cause) {
    throw problem('photos.broken', { file }, cause);
  }
}

/**
 * How opaque each pixel of a picture is, as a grey picture, upright; undefined where nothing of it is more than half transparent.
 * Errors: those of `loadPicture`.
 */
export async function loadOpacity(file: string): Promise<Picture | undefined> {
  const input = await openPicture(file);
  try {
    if (!(await sharp(input).metadata()).hasAlpha) return undefined;
    const { data, info } = await decoding(input)
      .extractChannel('alpha')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (data.every((opacity) => opacity >= 128)) return undefined;
    const grey = new Uint8Array(3 * data.length);
    data.forEach((opacity, i) => grey.fill(opacity, 3 * i, 3 * i + 3));
    return { width: info.width, height: info.height, data: grey };
  } catch (cause) {
    throw problem('photos.broken', { file }, cause);
  }
}

/** A picture in memory, for sharp. */
export function sharpOf({ data, width, height }: Picture): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/** The middle of a picture as a square of `side` pixels. */
export async function middleSquare(picture: Picture, side: number): Promise<Picture> {
  const squared = sharpOf(picture).resize(side, side, { fit: 'cover', kernel: 'linear' });
  return { width: side, height: side, data: await squared.raw().toBuffer() };
}
