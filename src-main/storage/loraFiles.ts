import type { Database } from 'better-sqlite3';
import * as z from 'zod';
import type { LoraFile } from '../../src-shared/domain/loraFile.ts';
import { insert, only, parseCell, update } from './rows.ts';

/** What is known of a file; whether it is there is looked up by who asks. */
export type StoredLoraFile = Omit<LoraFile, 'available'>;
type Row = Omit<StoredLoraFile, 'words' | 'problems'> & { words: string; problems: string };

const texts = z.array(z.string());

export class LoraFiles {
  constructor(private readonly db: Database) {}

  /** Newest first. */
  list(): StoredLoraFile[] {
    return this.select('ORDER BY id DESC');
  }

  get(id: number): StoredLoraFile {
    return only(this.select('AND id = ?', id), 'LoRA file');
  }

  /** Adds a file, or brings up to date what is known of the one at the same path. */
  put(file: Omit<StoredLoraFile, 'id' | 'addedAt'>): StoredLoraFile {
    const [known] = this.select('AND path = ?', file.path);
    if (!known) return this.get(insert(this.db, 'loras', { ...file, addedAt: Date.now() }));
    update(this.db, 'loras', known.id, { ...file, name: known.name });
    return this.get(known.id);
  }

  rename(id: number, name: string): StoredLoraFile {
    this.get(id);
    update(this.db, 'loras', id, { name });
    return this.get(id);
  }

  private select(rest: string, ...values: (number | string)[]): StoredLoraFile[] {
    const rows = this.db
      .prepare(
        `SELECT id, name, kind, path, about, words, bytes, problems, added_at addedAt
         FROM loras WHERE trash IS NULL ${rest}`,
      )
      .all(...values) as Row[];
    return rows.map((row) => ({
      ...row,
      words: parseCell(texts, row.words) ?? [],
      problems: parseCell(texts, row.problems) ?? [],
    }));
  }
}
