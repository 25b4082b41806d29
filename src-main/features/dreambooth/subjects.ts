import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readWritten } from '../../engine/training/data/writtenText.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { isFile, isFolder } from '../../engine/checkpoints/files.ts';
import { kohyaFolder } from '../../engine/training/data/kohyaFolder.ts';

export interface Subject {
  /** Its folder's name. */
  readonly name: string;
  readonly photos: string;
  readonly classNoun: string;
}

/** The table of DreamBooth's data set, and our own. */
const tables = ['prompts_and_classes.txt', 'classes.csv'];

/**
 * The subjects in a folder, each a folder of photos. The class comes from a table (lines of `subject_name,class`, as in
 * DreamBooth's data set) or from a folder's name in kohya's form, `10_sks dog`. Errors: `dreambooth.noSubjects`,
 * `dreambooth.noClass`.
 */
export function subjectsIn(folder: string): Subject[] {
  const names = isFolder(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
        .map(({ name }) => name)
        .sort()
    : [];
  if (names.length === 0) throw problem('dreambooth.noSubjects', { folder });
  const classes = classesIn(folder);
  return names.map((name) => {
    const classNoun = classes.get(name) ?? kohyaFolder(name)?.noun;
    if (classNoun === undefined)
      throw problem('dreambooth.noClass', { subject: name, table: join(folder, 'classes.csv') });
    return { name, photos: join(folder, name), classNoun };
  });
}

function classesIn(folder: string): ReadonlyMap<string, string> {
  const file = tables.map((name) => join(folder, name)).find(isFile);
  const lines = file === undefined ? [] : readWritten(file).split(/\r?\n/);
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const [, name, noun] = /^\s*([^,'"]+?)\s*,\s*([^,'"]+?)\s*$/.exec(line) ?? [];
      return name === undefined || noun === undefined || name === 'subject_name' ? [] : [[name, noun]];
    }),
  );
}
