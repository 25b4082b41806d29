import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../engine/checkpoints/contentHash.ts';
import { nameSchema } from '../../../src-shared/domain/id.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import type { Found, StudioContext } from '../context.ts';
import { readSubjectFile, writeSubjectFile } from '../../storage/subjectFile.ts';

/**
 * Scans `subjects/`. An unknown folder is a renamed subject, recognised by its photos or its `subject.json`, or a new one. A
 * folder that is gone loses nothing: its photos are missing until it is back.
 */
export async function findSubjects({
  library,
  emit,
}: Pick<StudioContext, 'library' | 'emit'>): Promise<Found> {
  const { subjects, folder, projects } = library;
  const taken = new Set(subjects.folders());
  const entries = await readdir(folder.at('subjects'), { withFileTypes: true }).catch(() => []);
  const unknown = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => `subjects/${name}`)
    .filter((place) => !taken.has(place) && looksLikeSubject(folder.at(place)));
  const gone = subjects.list().filter((subject) => !existsSync(folder.at(subject.folder)));
  let moved = 0;
  let added = 0;
  for (const place of unknown) {
    const words = readSubjectFile(folder.at(place));
    const hashes = await photoHashes(folder.at(place, 'photos'));
    const before = gone.find((subject) => isSame(subject, hashes, words?.name, library));
    if (before) {
      gone.splice(gone.indexOf(before), 1);
      subjects.move(before.id, place);
      moved++;
    } else {
      const projectId = projects.list()[0]?.id ?? 1;
      const name = words?.name ?? nameSchema.catch('Found').parse(path.basename(place));
      subjects.create({ projectId, classNoun: '', token: 'sks', ...words, name, folder: place });
      added++;
    }
  }
  for (const subject of subjects.list())
    if (existsSync(folder.at(subject.folder))) writeSubjectFile(folder, subject);
  if (moved + added > 0) for (const subject of subjects.list()) emit('subjects.changed', subject);
  return { added, moved, missing: gone.length };
}

function looksLikeSubject(folder: string): boolean {
  return ['photos', 'runs', 'subject.json'].some((name) => existsSync(path.join(folder, name)));
}

function isSame(
  { id, name }: Subject,
  hashes: readonly string[],
  found: string | undefined,
  { photos }: StudioContext['library'],
): boolean {
  const own = photos.list(id);
  return own.length > 0 ? own.some(({ hash }) => hashes.includes(hash)) : name === found;
}

async function photoHashes(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => !name.startsWith('.')).map((name) => path.join(folder, name));
  return Promise.all(files.map(async (file) => sha256(await readFile(file).catch(() => ''))));
}
