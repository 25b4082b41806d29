import { readFileSync, writeFileSync } from 'node:fs';

/** Writes a table of plain words, none of which has a comma. */
export function writeTable(
  file: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  writeFileSync(file, [columns, ...rows].map((cells) => `${cells.join(',')}\n`).join(''));
}

/** Such a table, or one that somebody typed: a record a line. */
export function readTable(file: string): Record<string, string>[] {
  const lines = readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line.trim());
  const [columns = [], ...rows] = lines.map((line) => line.split(',').map((cell) => cell.trim()));
  return rows.map((cells) => Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? ''])));
}
