import { open, readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import sharp from 'sharp';
import { LikenessError, problem } from '../../../src-shared/messages/index.ts';
import type { Picture } from './pixels.ts';

const maxMegapixels = 120;
const maxMegabytes = 500;
const secondsToDecode = 60;

const pictureExtensions =
  /^\.(jpe?g|jfif|png|webp|avif|tiff?|gif|hei[cf]|bmp|svg|jxl|jp2|dng|nef|cr[23]|arw|raw)$/i;

type Kind = 'readable' | 'heic' | 'other';

/** What a file is by its first bytes; its name says nothing. */
function kindOf(head: Buffer): Kind {
  const text = head.toString('latin1');
  const isTiff = /^(II[*+]\0|MM\0[*+])/.test(text);
  if (/^(\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF[^]{4}WEBP)/.test(text) || isTiff) return 'readable';
  if (text.slice(4, 8) !== 'ftyp') return 'other';
  const brands = text.slice(8, Math.min(head.readUInt32BE(0), head.length));
  if (/avi[fs]/.test(brands)) return 'readable';
  return /hei[cxms]|hev[cx]|mif1|msf1/.test(brands) ? 'heic' : 'other';
}

/** Errors: `photos.unreadable` for anything but a file, too: a pipe or a device would block for ever. */
async function readHead(file: string): Promise<Buffer> {
  try {
    const stats = await stat(file);
    if (!stats.isFile()) throw new Error('it is no file');
    if (stats.size > maxMegabytes * 1e6)
      throw problem('photos.tooHeavy', { file, megabytes: Math.round(stats.size / 1e6), max: maxMegabytes });
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw cause instanceof LikenessError ? cause : problem('photos.unreadable', { file }, cause);
  }
}

const naturally = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** Orders names as people count: 2.png before 10.png. */
export function naturalOrder(a: string, b: string): number {
  return naturally.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/**
 * The folder's pictures in natural order of name, as paths. JPEG, PNG, WebP, AVIF, TIFF and GIF by content; hidden files,
 * folders and files that neither are nor claim to be pictures are passed over.
 * Errors: `photos.noFolder`, `photos.heic`, `photos.unsupported`, `photos.tooHeavy`.
 */
export async function listPictures(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw problem('photos.noFolder', { folder }, cause);
  });
  const pictures: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.') || !(entry.isFile() || entry.isSymbolicLink())) continue;
    const file = join(folder, entry.name);
    const kind = kindOf(await readHead(file));
    if (kind === 'heic') throw problem('photos.heic', { file });
    if (kind === 'readable') pictures.push(file);
    else if (pictureExtensions.test(extname(entry.name))) throw problem('photos.unsupported', { file });
  }
  return pictures.sort(naturalOrder);
}

/**
 * Decodes a picture to sRGB bytes: turned as EXIF says, colour profile applied, CMYK, grey and 16 bit converted, the
 * transparent laid on white, the first frame of an animation.
 * Errors: `photos.unreadable`, `photos.heic`, `photos.unsupported`, `photos.tooHeavy`, `photos.tooLarge`, `photos.broken`.
 */
export function loadPicture(file: string): Promise<Picture> {
  return loadPictureOn('white', file);
}

/** The same with another colour behind what is transparent. */
export async function loadPictureOn(background: 'white' | 'black', file: string): Promise<Picture> {
  const kind = kindOf(await readHead(file));
  if (kind === 'heic') throw problem('photos.heic', { file });
  if (kind === 'other') throw problem('photos.unsupported', { file });
  let size: { width: number; height: number };
  try {
    size = await sharp(file, { limitInputPixels: false }).metadata();
  } catch (cause) {
    throw problem('photos.broken', { file }, cause);
  }
  const megapixels = (size.width * size.height) / 1e6;
  if (megapixels > maxMegapixels) {
    throw problem('photos.tooLarge', { file, megapixels: Math.round(megapixels), max: maxMegapixels });
  }
  try {
    const { data, info } = await sharp(file, {
      failOn: 'error',
      limitInputPixels: maxMegapixels * 1e6,
      pages: 1,
    })
      .timeout({ seconds: secondsToDecode })
      .autoOrient()
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
