import type { Database } from 'better-sqlite3';
import { fromJson } from '../../src-shared/domain/fromJson.ts';
import { settingsSchema, type Settings } from '../../src-shared/domain/studioSettings.ts';

type Changes = { readonly [K in keyof Settings]?: Settings[K] | undefined };

export class SettingsTable {
  constructor(private readonly db: Database) {}

  /** Stored settings over the defaults; a value that no longer fits counts as not set. */
  get(): Settings {
    const rows = this.db.prepare('SELECT key, value FROM settings').all() as { key: string; value: string }[];
    const fields: Record<string, { safeParse: (value: unknown) => { success: boolean } } | undefined> =
      settingsSchema.shape;
    const kept = rows
      .map(({ key, value }) => [key, fromJson(value)] as const)
      .filter(([key, value]) => fields[key]?.safeParse(value).success);
    return settingsSchema.parse(Object.fromEntries(kept));
  }

  update(changes: Changes): Settings {
    const put = this.db.prepare(
      'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    );
    this.db.transaction(() => {
      for (const [key, value] of Object.entries(changes))
        if (value !== undefined) put.run(key, JSON.stringify(value));
    })();
    return this.get();
  }
}
