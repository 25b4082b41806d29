import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Image } from '../../../src-shared/domain/image.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import type { Found, StudioContext } from '../studioContext.ts';

interface ReadPicture {
  readonly width: number;
  readonly height: number;
  readonly hash: string;
  readonly recipe: Recipe | null;
}

/**
 * Looks through `pictures/`: files that are new join the library, files that were moved are known by their content, files that are gone
 * are marked so. `read` is how a picture is read.
 */
export async function findPictures(
  { library, emit }: Pick<StudioContext, 'library' | 'emit'>,
  read: (file: string) => Promise<ReadPicture>,
): Promise<Found> {
  const { images, folder, runs } = library;
  const known = images.files();
  const names = await readdir(folder.at('pictures'), { recursive: true }).catch(() => []);
  const onDisk = new Set(
    names
      .filter((name) => /\.png$/i.test(name) && !path.basename(name).startsWith('.'))
      .map((name) => `pictures/${name.split(path.sep).join('/')}`),
  );
  let moved = 0;
  const gone = new Map<string, number>();
  for (const [file, { id, hash, missing, trash }] of known) {
    if (trash) continue;
    if (!onDisk.has(file)) gone.set(hash, id);
    else if (missing) images.move(id, file);
  }
  const added: Image[] = [];
  for (const file of onDisk) {
    if (known.has(file)) continue;
    const full = folder.at(file);
    const picture = await read(full).catch(() => undefined);
    if (!picture) continue;
    const { hash, recipe } = picture;
    const before = gone.get(hash);
    if (before !== undefined) {
      images.move(before, file);
      gone.delete(hash);
      moved++;
      continue;
    }
    const { size, mtimeMs } = await stat(full);
    const run = runs.list().find((one) => recipe?.loras.some(({ path: lora }) => lora.includes(one.folder)));
    added.push(
      images.add({
        file,
        ...picture,
        bytes: size,
        createdAt: Math.round(mtimeMs),
        prompt: recipe?.prompt ?? '',
        seed: recipe?.seed ?? 0,
        subjectId: run?.subjectId ?? null,
        runId: run?.id ?? null,
        step: null,
      }),
    );
  }
  for (const id of gone.values()) images.move(id, null);
  for (const image of added) emit('gallery.added', image);
  return { added: added.length, moved, missing: gone.size };
}
