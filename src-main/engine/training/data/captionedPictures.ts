import { createReadStream, createWriteStream, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import * as z from 'zod';
import { sha256 } from '../../checkpoints/contentHash.ts';
import { fromJson } from '../../../../src-shared/domain/fromJson.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import { errorCode, isFile, isFolder, makeFolder, statOrNothing } from '../../checkpoints/files.ts';
import { removeLeftovers, temporaryPlace } from '../../checkpoints/leftovers.ts';
import { naturalOrder } from '../../pictures/pictures.ts';
import { captionBeside, captionFileOf, isCaption } from './photoCaptions.ts';
import { fileLike } from './sameName.ts';
import { readTable, readWritten } from './writtenText.ts';

export interface CaptionedPicture {
  readonly file: string;
  readonly caption: string;
}

export interface CaptionedPictures {
  readonly pictures: readonly CaptionedPicture[];
  /** What was passed over, and why, a line each. */
  readonly skipped: readonly string[];
}

const isPicture = (name: string): boolean =>
  !name.startsWith('.') && /^\.(jpe?g|png|webp|avif|heic|heif|tiff?|gif|bmp)$/i.test(extname(name));

/**
 * Pictures with their captions: a folder with `metadata.csv` or `.jsonl` (`file_name,text`, as diffusers' scripts read it), a folder with a
 * `.txt` beside each picture, a WebDataset `.tar` or a folder of those (unpacked once below `cache`). Errors: `data.…`.
 */
export async function captionedPictures(data: string, cache: string): Promise<CaptionedPictures> {
  if (isFile(data)) return besideEach(await unpacked(data, cache));
  if (!isFolder(data)) throw problem('data.missing', { data });
  for (const name of ['metadata.csv', 'metadata.jsonl'])
    if (isFile(join(data, name))) return fromTable(data, join(data, name));
  const shards = readdirSync(data).filter((name) => name.endsWith('.tar') && !name.startsWith('.'));
  if (shards.length === 0) return besideEach(data);
  const parts: CaptionedPictures[] = [];
  for (const shard of shards.sort(naturalOrder))
    parts.push(besideEach(await unpacked(join(data, shard), cache)));
  return {
    pictures: parts.flatMap(({ pictures }) => pictures),
    skipped: parts.flatMap(({ skipped }) => skipped),
  };
}

function fromTable(folder: string, file: string): CaptionedPictures {
  const bad = (why: string, cause?: unknown): Error => problem('data.table', { file, why }, cause);
  const rows = file.endsWith('.jsonl') ? readLines(file, bad) : readTable(file, bad);
  const pictures: CaptionedPicture[] = [];
  const skipped: string[] = [];
  for (const { file_name: name, text } of rows) {
    if (name === undefined || text === undefined) throw bad('a column is missing');
    const picture = join(folder, name);
    const there = isFile(picture) ? picture : fileLike(picture);
    if (there !== undefined && isFile(there)) pictures.push({ file: there, caption: text });
    else skipped.push(`${picture}: is not there`);
  }
  return { pictures, skipped };
}

/** The same as JSON, an object a line, as Hugging Face's data sets have it. */
function readLines(
  file: string,
  bad: (why: string) => Error,
): { readonly file_name?: string; readonly text?: string }[] {
  const lines = readWritten(file).split(/\r?\n/);
  return lines.flatMap((line, i) => {
    if (line.trim() === '') return [];
    const row = rowType.safeParse(fromJson(line)).data;
    if (!row) throw bad(`line ${i + 1} is not {"file_name": …, "text": …}`);
    return [row];
  });
}

const rowType = z.object({ file_name: z.string(), text: z.string() });

function besideEach(folder: string): CaptionedPictures {
  const pictures: CaptionedPicture[] = [];
  const skipped: string[] = [];
  for (const name of readdirSync(folder).filter(isPicture).sort(naturalOrder)) {
    const file = join(folder, name);
    const caption = captionBeside(file);
    if (caption !== undefined) pictures.push({ file, caption: readWritten(caption).trim() });
    else skipped.push(`${file}: has no ${basename(captionFileOf(file))} beside it`);
  }
  return { pictures, skipped };
}

/** The folder that a WebDataset's pictures and captions are unpacked to, once. */
async function unpacked(tar: string, cache: string): Promise<string> {
  // A pipe could block for ever.
  if (!isFile(tar)) throw problem('data.tar', { file: tar, why: 'it is not a regular file' });
  const { size, mtimeMs } = statSync(tar);
  const name = sha256(`${tar}|${size}|${mtimeMs}`, 16);
  const folder = join(cache, 'webdataset', name);
  if (statOrNothing(folder)) return folder;
  const temporary = temporaryPlace(folder);
  rmSync(temporary, { recursive: true, force: true });
  makeFolder(temporary);
  removeLeftovers(dirname(folder));
  try {
    const entries = extract();
    const reading = pipeline(createReadStream(tar), entries);
    // The loop below gets this failure too.
    reading.catch(() => undefined);
    for await (const entry of entries) {
      const { name: path, type } = entry.header;
      const wanted = type === 'file' && (isPicture(basename(path)) || isCaption(path));
      if (wanted) await pipeline(entry, createWriteStream(join(temporary, flat(path))));
      else entry.resume();
    }
    await reading;
  } catch (cause) {
    rmSync(temporary, { recursive: true, force: true });
    throw problem('data.tar', { file: tar, why: whyNot(cause) }, cause);
  }
  renameSync(temporary, folder);
  return folder;
}

function whyNot(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/invalid tar header/i.test(message)) return 'it is no tar, or a compressed one';
  if (/header exceeds/i.test(message)) return 'one of its headers is over 4 MB';
  return cause instanceof Error && 'code' in cause ? errorCode(cause) : 'it is cut off';
}

/** The longest file name that every file system takes, with room for what is added to it. */
const longestName = 180;

/** One name for a path inside an archive: nothing is written outside of the folder, and a sample's files stay together. */
function flat(path: string): string {
  const name = path.replace(/^[./\\]+/, '').replaceAll(/[\\/:]/g, '__');
  if (Buffer.byteLength(name) <= longestName) return name;
  const ending = extname(name);
  const stem = name.slice(0, name.length - ending.length);
  return sha256(stem, 32) + ending;
}
