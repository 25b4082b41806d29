import { opendir, stat } from 'node:fs/promises';
import { setImmediate as breathe } from 'node:timers/promises';
import type { StoredFile } from '../../storage/images.ts';
import type { LibraryFolder } from '../../storage/libraryFolder.ts';
import type { Found, StudioContext } from '../context.ts';
import { readPicture } from './readPicture.ts';

/** Rows read or written at once, which takes some ms. Between pieces, requests are answered. */
const piece = 500;
/** New pictures added at once. */
const batch = 32;

/**
 * Scans `pictures/`: new files are added, moved files are recognised by their content, and missing files are marked. Runs beside
 * everything else, even jobs that make pictures; `signal` ends it.
 */
export async function findPictures(
  { library, emit }: Pick<StudioContext, 'library' | 'emit'>,
  signal?: AbortSignal,
): Promise<Found> {
  const { images, folder } = library;
  const inPieces = async <T>(list: readonly T[], size: number, work: (part: readonly T[]) => unknown) => {
    for (let start = 0; start < list.length && !signal?.aborted; start += size) {
      await work(list.slice(start, start + size));
      await breathe();
    }
  };

  const known = new Map<string, StoredFile>();
  for (let rows = images.files(0, piece); rows.length > 0;) {
    for (const row of rows) known.set(row.file, row);
    await breathe();
    if (signal?.aborted) return { added: 0, moved: 0, missing: 0 };
    rows = images.files(rows.at(-1)?.id ?? 0, piece);
  }
  const fresh: string[] = [];
  const back: StoredFile[] = [];
  for await (const file of picturesIn(folder, 'pictures')) {
    const row = known.get(file);
    if (!row) fresh.push(file);
    else if (row.missing && !row.trash) back.push(row);
    known.delete(file);
    if (signal?.aborted) break;
  }
  /** By hash; the same picture may exist more than once. */
  const gone = new Map<string, StoredFile[]>();
  for (const row of known.values()) {
    if (row.trash) continue;
    const same = gone.get(row.hash);
    if (same) same.push(row);
    else gone.set(row.hash, [row]);
  }
  await inPieces(back, piece, (rows) =>
    library.atomically(() => {
      for (const { id, file } of rows) images.move(id, file);
    }),
  );

  let added = 0;
  let moved = 0;
  await inPieces(fresh, batch, async (files) => {
    const pictures = await Promise.all(files.map((file) => whatIsIn(folder, file)));
    const made = library.atomically(() => {
      const runs = library.runs.list();
      return pictures.flatMap((picture) => {
        // A job may have added it meanwhile.
        if (!picture || images.hasFile(picture.file)) return [];
        const before = gone.get(picture.hash)?.pop();
        if (before) {
          images.move(before.id, picture.file);
          moved++;
          return [];
        }
        const { recipe } = picture;
        const run = runs.find((one) => recipe?.loras.some(({ path: lora }) => lora.includes(one.folder)));
        const { prompt = '', seed = 0 } = recipe ?? {};
        const from = { subjectId: run?.subjectId ?? null, runId: run?.id ?? null, step: null };
        return [images.add({ ...picture, prompt, seed, ...from })];
      });
    });
    added += made.length;
    for (const image of made) emit('gallery.added', image);
  });

  const missing = [...gone.values()].flat();
  const lost = missing.filter((row) => !row.missing);
  await inPieces(lost, piece, (rows) =>
    library.atomically(() => {
      for (const { id } of rows) images.move(id, null);
    }),
  );
  if (added + back.length + lost.length > 0) {
    emit('gallery.changed', { ids: [] });
    // Subjects are shown with their number of pictures.
    for (const subject of library.subjects.list()) emit('subjects.changed', subject);
  }
  return { added, moved, missing: missing.length };
}

/** PNG files in a folder and those in it, as the library names them. */
async function* picturesIn(folder: LibraryFolder, place: string): AsyncGenerator<string> {
  const entries = await opendir(folder.at(place), { bufferSize: 256 }).catch(() => undefined);
  if (!entries) return;
  for await (const entry of entries) {
    const inside = `${place}/${entry.name}`;
    if (entry.isDirectory()) yield* picturesIn(folder, inside);
    else if (/\.png$/i.test(entry.name) && !entry.name.startsWith('.')) yield inside;
  }
}

/** Undefined for a file that is not a picture, or is gone again. */
async function whatIsIn(folder: LibraryFolder, file: string) {
  try {
    const full = folder.at(file);
    const picture = await readPicture(full);
    const { size, mtimeMs } = await stat(full);
    return { file, ...picture, bytes: size, createdAt: Math.round(mtimeMs) };
  } catch {
    return undefined;
  }
}
