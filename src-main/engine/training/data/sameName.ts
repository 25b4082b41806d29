import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A file's name without what systems disagree on: macOS splits letters from their accents, Windows takes capitals for small letters. */
export const folded = (name: string): string => name.normalize('NFC').toLowerCase();

/** What a table says of a file, whose name may have come from another system. */
export function saidOf<T>(table: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  if (!table) return undefined;
  const form = name.normalize('NFC');
  const own = name in table ? name : Object.keys(table).find((key) => key.normalize('NFC') === form);
  return own === undefined ? undefined : table[own];
}

/** The folder that was looked into last: the files beside thousands of photos are listed once. */
let last:
  | { readonly folder: string; readonly changed: bigint; readonly names: ReadonlyMap<string, string> }
  | undefined;

/** The file at this path, or the one beside it of the same name but for capitals and Unicode's forms. */
export function fileLike(path: string): string | undefined {
  const folder = dirname(path);
  const exact = basename(path);
  const names = namesIn(folder);
  const name = names.get(`=${exact}`) ?? names.get(folded(exact));
  return name === undefined ? undefined : join(folder, name);
}

function namesIn(folder: string): ReadonlyMap<string, string> {
  const changed = statSync(folder, { bigint: true, throwIfNoEntry: false })?.mtimeNs;
  if (changed === undefined) return new Map();
  // Within a tick of the clock, a folder may change again and seem not to.
  const settled = changed < BigInt(Date.now() - 100) * 1_000_000n;
  if (settled && last?.folder === folder && last.changed === changed) return last.names;
  const names = readdirSync(folder).flatMap((name) => [
    [folded(name), name] as const,
    [`=${name}`, name] as const,
  ]);
  last = { folder, changed, names: new Map(names) };
  return last.names;
}
