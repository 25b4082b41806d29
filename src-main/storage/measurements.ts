import type { Database } from 'better-sqlite3';
import * as z from 'zod';
import { parseCell } from './rows.ts';

/** What a dry run of a finetune took: seconds before the first step, of a step and of a picture, and bytes at the peak. */
const measuredSchema = z.object({
  setup: z.number(),
  secondsPerStep: z.number(),
  secondsPerPicture: z.number(),
  bytes: z.number(),
  /** GFLOP/s of a large matrix product on the CPU, where that computes. */
  gflops: z.number().optional(),
});
export type Measured = Readonly<z.infer<typeof measuredSchema>>;

export class Measurements {
  constructor(private readonly db: Database) {}

  /** null: it ran out of memory; undefined: it was not tried, or can't be read. */
  get(key: string): Measured | null | undefined {
    const row = this.db.prepare('SELECT figures FROM measurements WHERE key = ?').get(key) as
      { figures: string | null } | undefined;
    if (row?.figures === null) return null;
    return row && (parseCell(measuredSchema, row.figures) ?? undefined);
  }

  /** The successful ones, with their keys. */
  list(): (Measured & { readonly key: string })[] {
    const rows = this.db.prepare('SELECT key, figures FROM measurements WHERE figures IS NOT NULL').all() as {
      key: string;
      figures: string;
    }[];
    return rows.flatMap(({ key, figures }) => {
      const measured = parseCell(measuredSchema, figures);
      return measured ? [{ ...measured, key }] : [];
    });
  }

  set(key: string, measured: Measured | null): void {
    this.db
      .prepare('INSERT OR REPLACE INTO measurements (key, figures, measured_at) VALUES (?, ?, ?)')
      .run(key, measured && JSON.stringify(measured), Date.now());
  }
}
