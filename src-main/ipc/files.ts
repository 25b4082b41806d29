import { createReadStream, existsSync, statSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sharp } from '../sharp.ts';
import { orNothing } from '../../src-shared/orNothing.ts';
import { makeFolders } from '../makeFolders.ts';
import { compressed } from './compressed.ts';
import { exportFile } from './exportFile.ts';
import { fresh, nothing, type FileAnswer } from './fileAnswer.ts';
import { thumbnailWidths } from '../../src-shared/contract/fileUrls.ts';

/** Where the pictures of the contract's `fileUrls` are; undefined for one that is not there. */
export interface PictureFiles {
  readonly image: (id: number) => string | undefined;
  readonly photo: (id: number) => string | undefined;
  readonly mask: (photoId: number) => string | undefined;
  readonly original: (hash: string) => string | undefined;
  readonly sample: (runId: number, step: number) => string | undefined;
  readonly scored: (runId: number, step: number, index: number) => string | undefined;
  /** Of a base model: pictures that it drew. */
  readonly sheet: (modelId: number) => string | undefined;
  readonly export: (id: number) => string | undefined;
  readonly grid: (jobId: number) => string | undefined;
  readonly receipt: (exportId: number) => string | undefined;
  /** Where thumbnails are kept; they can be made again. */
  readonly thumbnails: string;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.gif': 'image/gif',
  '.tiff': 'image/tiff',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.map': 'application/json',
};

/**
 * A file of the window's own: names from the bundle, nothing above it. `address`: the path of a URL, as it came; `accepts`:
 * encodings, as Accept-Encoding lists them.
 */
export function rendererFile(folder: string, address: string, accepts = ''): FileAnswer {
  const pathname = orNothing(() => decodeURIComponent(address));
  if (pathname === undefined) return nothing;
  const file = path.join(folder, path.posix.normalize(`/${pathname}`));
  const inside = file === folder || file.startsWith(folder + path.sep);
  const wanted = inside && existsSync(file) && statSync(file).isFile() ? file : undefined;
  if (wanted === undefined && path.extname(pathname) !== '') return nothing;
  // Any other address is a screen of the window.
  const served = wanted ?? path.join(folder, 'index.html');
  if (!existsSync(served)) return nothing;
  const type = types[path.extname(served)] ?? 'application/octet-stream';
  const lasting = pathname.startsWith('/assets/');
  const small = compressed(served, accepts);
  const body = createReadStream(small?.file ?? served);
  return { status: 200, type, body, lasting, ...(small && { encoding: small.encoding }) };
}

/** A picture, or an export, by the address that `fileUrls` gives; thumbnails are made once. */
export async function pictureFile(
  files: PictureFiles,
  pathname: string,
  width: string | null,
): Promise<FileAnswer> {
  const [, exported] = /^\/files\/export\/(\d{1,15})$/.exec(pathname) ?? [];
  if (exported !== undefined) return exportFile(files.export(Number(exported)));
  const { file, key } = pictureOf(files, pathname);
  if (file === undefined || !existsSync(file)) return nothing;
  const { mtimeMs } = statSync(file);
  if (width === null) {
    // Browsers turn photos by EXIF themselves, and cannot show TIFF.
    const ending = path.extname(file).toLowerCase();
    if (ending !== '.tiff') return fresh(types[ending] ?? 'image/png', createReadStream(file));
    const body = await sharp(file, { failOn: 'none' }).autoOrient().webp({ quality: 92 }).toBuffer();
    return fresh('image/webp', body);
  }
  const side = thumbnailWidths.find((known) => String(known) === width);
  if (side === undefined) return nothing;
  const kept = path.join(files.thumbnails, `${key}-${Math.round(mtimeMs)}-${side}.webp`);
  const body = existsSync(kept) ? createReadStream(kept) : await makeThumbnail(file, kept, side);
  return fresh('image/webp', body);
}

/** The file that an address means, if there is one, and what its thumbnails are called. */
function pictureOf(files: PictureFiles, pathname: string): { file: string | undefined; key: string } {
  const [, hash] = /^\/files\/original\/([0-9a-f]{16})$/.exec(pathname) ?? [];
  if (hash !== undefined) return { file: files.original(hash), key: `original-${hash}` };
  const [, kind = '', ...numbers] =
    /^\/files\/([a-z]+)\/(\d{1,15})(?:\/(\d{1,9}))?(?:\/(\d{1,9}))?$/.exec(pathname) ?? [];
  const given = numbers.flatMap((number?: string) => (number === undefined ? [] : [Number(number)]));
  const key = [kind, ...given, ...(given.length === 1 ? [0] : [])].join('-');
  return { file: fileOf(files, kind, given), key };
}

/** Kinds of pictures that one number names. */
const ofOneNumber = ['image', 'photo', 'mask', 'sheet', 'receipt', 'grid'] as const;

/** Each kind of picture has as many numbers as its address. */
function fileOf(files: PictureFiles, kind: string, numbers: readonly number[]): string | undefined {
  const [id = 0, step = 0, index = 0] = numbers;
  const single = ofOneNumber.find((one) => one === kind);
  if (numbers.length === 1 && single) return files[single](id);
  if (numbers.length === 2 && kind === 'sample') return files.sample(id, step);
  if (numbers.length === 3 && kind === 'scored') return files.scored(id, step, index);
  return undefined;
}

/** A folder that can't be written keeps nothing: the thumbnail is made again. */
async function makeThumbnail(file: string, kept: string, side: number): Promise<Buffer> {
  const bytes = await sharp(file, { failOn: 'none' })
    .autoOrient()
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 82 })
    .toBuffer();
  const partial = `${kept}.${process.pid}-${Math.random().toString(36).slice(2)}.tmp`;
  try {
    makeFolders(path.dirname(kept));
    await writeFile(partial, bytes);
    await rename(partial, kept);
  } catch {
    await rm(partial, { force: true }).catch(() => undefined);
  }
  return bytes;
}
