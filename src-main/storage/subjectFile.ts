import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { readKept } from '../readKept.ts';
import { nameSchema } from '../../src-shared/domain/id.ts';
import { classNounSchema, tokenSchema, type Subject } from '../../src-shared/domain/subject.ts';
import type { LibraryFolder } from './libraryFolder.ts';

const schema = z.object({
  name: nameSchema,
  classNoun: classNounSchema.or(z.literal('')),
  token: tokenSchema,
  sample: z.boolean().default(false),
});

/** What a subject's folder records about it, so that it survives the loss of the database. */
export type SubjectFile = z.infer<typeof schema>;

const fileName = 'subject.json';

/**
 * Writes a subject's name and words beside its photos, so that its folder is complete when it is copied or the database is lost.
 */
export function writeSubjectFile(
  folder: LibraryFolder,
  { name, classNoun, token, sample, folder: own }: Subject,
): void {
  const file = path.join(folder.make(own), fileName);
  const text = `${JSON.stringify({ name, classNoun, token, sample }, null, 2)}\n`;
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}

/** undefined where there is none that can be used. */
export function readSubjectFile(folder: string): SubjectFile | undefined {
  return readKept(path.join(folder, fileName), schema);
}
