import type { StudioContext } from '../context.ts';
import { markPhoto } from './markPhoto.ts';

/** Checks photos again that an earlier version of preflight marked: it may still ask to crop a photo that has been cropped. */
export async function markAgain(
  { library, emit }: Pick<StudioContext, 'library' | 'emit'>,
  signal: AbortSignal,
): Promise<void> {
  const { photos, subjects, folder } = library;
  const changed = new Set<number>();
  for (const photo of photos.markedBefore()) {
    if (signal.aborted) return;
    const file = folder.at(subjects.get(photo.subjectId).folder, 'photos', photo.name);
    // A photo that can't be read now is checked next time.
    const marks = await markPhoto(file, photo).catch(() => undefined);
    if (!marks) continue;
    photos.setMarks(photo.id, marks);
    changed.add(photo.subjectId);
  }
  for (const subjectId of changed) emit('photos.changed', { subjectId });
}
