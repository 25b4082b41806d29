import type { Database } from 'better-sqlite3';
import type * as z from 'zod';
import { fromJson } from '../../src-shared/domain/fromJson.ts';
import { problem } from '../../src-shared/messages/index.ts';

/** A row by its columns in camelCase. Objects are kept as JSON, truth values as 0 and 1; what is undefined is left out. */
type Row = Readonly<Record<string, string | number | boolean | object | null | undefined>>;

/** The row's cells by the columns' own names: `subjectId` → `subject_id`. */
function cellsOf(row: Row): Record<string, string | number | null> {
  return Object.fromEntries(
    Object.entries(row).flatMap(([key, value]) => {
      if (value === undefined) return [];
      const column = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      if (typeof value === 'boolean') return [[column, Number(value)]];
      return [[column, typeof value === 'object' && value !== null ? JSON.stringify(value) : value]];
    }),
  );
}

/** What a cell with JSON holds, as `schema` reads it; null for an empty cell, and for one that does not fit. */
export function parseCell<T>(schema: z.ZodType<T>, text: string | null): T | null {
  return text === null ? null : (schema.safeParse(fromJson(text)).data ?? null);
}

/** Inserts a row given by column; returns its id. */
export function insert(db: Database, table: string, row: Row): number {
  const cells = cellsOf(row);
  const columns = Object.keys(cells);
  const values = columns.map((column) => `@${column}`);
  const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values.join(', ')})`;
  return Number(db.prepare(sql).run(cells).lastInsertRowid);
}

/** Changes the named columns of row `id`; columns that are undefined stay as they are. */
export function update(db: Database, table: string, id: number, row: Row): void {
  const cells = cellsOf(row);
  const sets = Object.keys(cells).map((column) => `${column} = @${column}`);
  if (sets.length > 0)
    db.prepare(`UPDATE ${table} SET ${sets.join(', ')} WHERE id = @id`).run({ ...cells, id });
}

/** The only row that was found. Errors: `library.gone`, of a thing that is called `what`. */
export function only<T>([found]: readonly T[], what: string): T {
  if (!found) throw problem('library.gone', { what });
  return found;
}
