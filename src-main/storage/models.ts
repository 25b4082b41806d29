import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Database } from 'better-sqlite3';
import * as z from 'zod';
import type { Model } from '../../src-shared/domain/model.ts';
import type { LibraryFolder } from './libraryFolder.ts';
import { insert, only, parseCell, update } from './rows.ts';

/** What is known about a model; whether its files are there is checked when needed. */
export type StoredModel = Omit<Model, 'available' | 'guidance' | 'subjectGuidance' | 'places' | 'sheet'>;
type Row = Omit<StoredModel, 'problems'> & { problems: string };

export class Models {
  constructor(
    private readonly db: Database,
    private readonly folder: LibraryFolder,
  ) {}

  /** The shipped one first. */
  list(): StoredModel[] {
    return this.select("ORDER BY source <> 'shipped', id");
  }

  get(id: number): StoredModel {
    return only(this.select('AND id = ?', id), 'model');
  }

  /** The sheet of pictures that it drew, if its folder has one. */
  sheet(id: number): string | undefined {
    const { path } = this.get(id);
    return ['sheet.jpg', 'sheet.png'].map((name) => join(path, name)).find(existsSync);
  }

  byPath(path: string): StoredModel | undefined {
    return this.select('AND path = ?', this.kept(path))[0];
  }

  /** The model that comes with Likeness, once it has been put on the list. */
  shipped(): StoredModel | undefined {
    return this.select("AND source = 'shipped'")[0];
  }

  /** Adds a model, or updates the one at the same path. */
  put(model: Omit<StoredModel, 'id' | 'addedAt'>): StoredModel {
    const row = { ...model, path: this.kept(model.path) };
    const known = model.source === 'shipped' ? this.shipped() : this.byPath(model.path);
    if (known) {
      update(this.db, 'models', known.id, { ...row, name: known.name });
      return this.get(known.id);
    }
    return this.get(insert(this.db, 'models', { ...row, addedAt: Date.now() }));
  }

  rename(id: number, name: string): StoredModel {
    this.get(id);
    update(this.db, 'models', id, { name });
    return this.get(id);
  }

  private select(rest: string, ...values: (number | string)[]): StoredModel[] {
    const rows = this.db
      .prepare(
        `SELECT id, name, source, path, kind, family, hash, parameters, bytes, width, height, added_at addedAt, problems
         FROM models WHERE trash IS NULL ${rest}`,
      )
      .all(...values) as Row[];
    return rows.map((row) => ({
      ...row,
      path: resolve(this.folder.root, row.path),
      problems: parseCell(z.array(z.string()), row.problems) ?? [],
    }));
  }

  /** Models inside the library are stored with relative paths, so that they move with it. */
  private kept(path: string): string {
    return this.folder.holds(path) ? this.folder.relative(path) : path;
  }
}
