import type { Database } from 'better-sqlite3';

/** What a cell holds. */
export type Cell = string | number | null;

/** Reads JSON that this program wrote. */
export function fromJson(text: string): unknown {
  return JSON.parse(text) as unknown;
}

export function fromJsonOrNull(text: string | null): unknown {
  return text === null ? null : fromJson(text);
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
