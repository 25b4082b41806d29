import type { Database } from 'better-sqlite3';
import { fromJson, fromJsonOrNull } from './rows.ts';

/** What a dry run of a finetune took: seconds before the first step, of a step and of a picture, and bytes at the peak. */
export interface Measured {
  readonly setup: number;
  readonly secondsPerStep: number;
  readonly secondsPerPicture: number;
  readonly bytes: number;
}

export class Measurements {
  constructor(private readonly db: Database) {}

  /** null: it ended for want of memory; undefined: it was not tried. */
  get(key: string): Measured | null | undefined {
    const row = this.db.prepare('SELECT figures FROM measurements WHERE key = ?').get(key) as
      { figures: string | null } | undefined;
    return row && (fromJsonOrNull(row.figures) as Measured | null);
  }

  /** Those that came to an end, with their keys. */
  list(): (Measured & { readonly key: string })[] {
    const rows = this.db.prepare('SELECT key, figures FROM measurements WHERE figures IS NOT NULL').all() as {
      key: string;
      figures: string;
    }[];
    return rows.map(({ key, figures }) => ({ ...(fromJson(figures) as Measured), key }));
  }

  set(key: string, measured: Measured | null): void {
    this.db
      .prepare('INSERT OR REPLACE INTO measurements (key, figures, measured_at) VALUES (?, ?, ?)')
      .run(key, measured && JSON.stringify(measured), Date.now());
  }
}
