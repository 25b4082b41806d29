import type { Database } from 'better-sqlite3';

export interface UsedPrompt {
  readonly prompt: string;
  readonly negative: string;
  readonly usedAt: number;
}

/** Recent prompts. */
export class Prompts {
  constructor(private readonly db: Database) {}

  use(prompt: string, negative: string): void {
    this.db
      .prepare(
        `INSERT INTO prompts (prompt, negative, used_at) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET used_at = excluded.used_at`,
      )
      .run(prompt, negative, Date.now());
  }

  /** Newest first. */
  recent(limit: number): UsedPrompt[] {
    return this.db
      .prepare(
        'SELECT prompt, negative, used_at usedAt FROM prompts ORDER BY used_at DESC, rowid DESC LIMIT ?',
      )
      .all(limit) as UsedPrompt[];
  }
}
