import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../engine/checkpoints/contentHash.ts';
import type { Found, StudioContext } from '../context.ts';
import { addPhotos } from '../photos/addPhotos.ts';

/**
 * Scans the subjects' photos: new files are added, renamed files are recognised by their content, and photos whose file is gone
 * are marked until it is back.
 */
export async function findPhotos(context: Pick<StudioContext, 'library' | 'emit'>): Promise<Found> {
  const found = { added: 0, moved: 0, missing: 0 };
  const { subjects, photos, folder } = context.library;
  for (const subject of subjects.list()) {
    const place = folder.photos(subject);
    const names = (await readdir(place).catch(() => [])).filter((name) => !name.startsWith('.'));
    const known = new Set(photos.namesIn(subject.id));
    const gone = new Map<string, number>();
    let changed = false;
    for (const { id, name, hash, missing } of photos.list(subject.id)) {
      const here = names.includes(name);
      if (!here) gone.set(hash, id);
      if (here !== missing) continue;
      photos.setMissing(id, !here);
      changed = true;
    }
    const fresh: string[] = [];
    for (const name of names.filter((one) => !known.has(one))) {
      const file = path.join(place, name);
      const bytes = await readFile(file).catch(() => undefined);
      const hash = bytes && sha256(bytes);
      const id = hash === undefined ? undefined : gone.get(hash);
      if (id === undefined) fresh.push(file);
      else {
        photos.rename(id, name);
        gone.delete(hash ?? '');
        found.moved++;
        changed = true;
      }
    }
    if (fresh.length > 0) found.added += (await addPhotos(context, subject.id, fresh)).added.length;
    found.missing += gone.size;
    if (!changed) continue;
    context.emit('photos.changed', { subjectId: subject.id });
    context.emit('subjects.changed', subjects.get(subject.id));
  }
  return found;
}
