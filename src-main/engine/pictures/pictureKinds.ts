import { open, stat } from 'node:fs/promises';
import { LikenessError, problem } from '../../../src-shared/messages/index.ts';
import { isCameraRaw } from './cameraRaw.ts';

const maxMegabytes = 500;

export type PictureKind = 'sharp' | 'png' | 'heic' | 'bmp' | 'raw' | 'other';

/** Endings of files that claim to be pictures. */
export const claimsPicture =
  /\.(jpe?g?|jfif|png|webp|avif|tiff?|gif|hei[cf]|hif|bmp|svg|jxl|jxr|jp2|jpx|j2k|psd|psb|xcf|tga|exr|p[bgnpaf]m|dng|nef|nrw|cr[23w]|arw|sr[2fw]|raf|rw[2l]|orf|pef|3fr|iiq|x3f|erf|kdc|raw)$/i;

/** The picture that a file stands for while it is only in iCloud: `.IMG_1.HEIC.icloud` is IMG_1.HEIC's. */
export function inCloudAlone(name: string): string | undefined {
  const own = /^\.(.+)\.icloud$/i.exec(name)?.[1];
  return own !== undefined && claimsPicture.test(own) ? own : undefined;
}

/** What a file is by its content; its name says nothing. Errors: `photos.unreadable`, `photos.tooHeavy`. */
export async function pictureKind(file: string): Promise<PictureKind> {
  const head = await readHead(file);
  const kind = kindOf(head);
  return kind === 'tiff' ? ((await isCameraRaw(file)) ? 'raw' : 'sharp') : kind;
}

/** By its first bytes. */
function kindOf(head: Buffer): PictureKind | 'tiff' {
  const text = head.toString('latin1');
  if (/^(\xff\xd8\xff|GIF8[79]a|RIFF[^]{4}WEBP)/.test(text)) return 'sharp';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  // Canon, Fuji, Panasonic, Olympus, Minolta, Sigma.
  if (/^(II\*\0[^]{4}CR|II\x1a\0[^]{4}HEAPCCDR|FUJIFILMCCD-RAW|IIU\0|IIR[OS]|MMOR|\0MRM|FOVb)/.test(text))
    return 'raw';
  if (/^(II[*+]\0|MM\0[*+])/.test(text)) return 'tiff';
  if (/^BM[^]{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0/.test(text)) return 'bmp';
  if (text.slice(4, 8) !== 'ftyp') return 'other';
  const brands = text.slice(8, Math.min(head.readUInt32BE(0), head.length));
  if (brands.includes('crx ')) return 'raw';
  if (/avi[fs]/.test(brands)) return 'sharp';
  return /hei[cxms]|hev[cx]|mif1|msf1/.test(brands) ? 'heic' : 'other';
}

/** Errors: `photos.unreadable` for anything but a file, too: a pipe or a device would block for ever. */
async function readHead(file: string): Promise<Buffer> {
  try {
    const stats = await stat(file);
    if (!stats.isFile()) throw new Error('it is not a file');
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
