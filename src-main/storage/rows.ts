import type { Database } from 'better-sqlite3';
import type { z } from 'zod';
import { fromJson } from '../../src-shared/domain/fromJson.ts';

/** What a cell holds. */
export type Cell = string | number | null;

/** What a cell with JSON holds, as `schema` reads it; null for an empty cell, and for one that does not fit. */
export function parseCell<T>(schema: z.ZodType<T>, text: string | null): T | null {
  return text === null ? null : (schema.safeParse(fromJson(text)).data ?? null);
}

/** Inserts a row given by column; returns its id. */
export function insert(db: Database, table: string, row: Readonly<Record<string, Cell>>): number {
  const columns = Object.keys(row);
  const values = columns.map((column) => `@${column}`);
  const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values.join(', ')})`;
  return Number(db.prepare(sql).run(row).lastInsertRowid);
}

/** Changes the named columns of row `id`; columns that are undefined stay as they are. */
export function update(
  db: Database,
  table: string,
  id: number,
  row: Readonly<Record<string, Cell | undefined>>,
): void {
  const changes = Object.entries(row).filter(([, value]) => value !== undefined);
  if (changes.length === 0) return;
  const sets = changes.map(([column]) => `${column} = @${column}`);
  db.prepare(`UPDATE ${table} SET ${sets.join(', ')} WHERE id = @id`).run({
    ...Object.fromEntries(changes),
    id,
  });
}
