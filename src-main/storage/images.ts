import type { Database } from 'better-sqlite3';
import type { Image, ImageDetail, ImageFilter, ImageOrder } from '../../src-shared/domain/image.ts';
import { recipeSchema, type Recipe } from '../../src-shared/domain/recipe.ts';
import { condition, orders } from './imageFilter.ts';
import { insert, only, parseCell, update } from './rows.ts';

type Row = Omit<Image, 'favourite'> & { favourite: number };
type DetailRow = Row & { file: string; bytes: number; hash: string; recipe: string | null };

export type NewImage = Pick<
  ImageDetail,
  'file' | 'hash' | 'bytes' | 'width' | 'height' | 'prompt' | 'seed' | 'subjectId' | 'runId' | 'step'
> & {
  readonly recipe: Recipe | null;
  readonly jobId?: number | null;
  readonly createdAt?: number;
};

export interface StoredFile {
  readonly id: number;
  /** Seen from the library. */
  readonly file: string;
  readonly hash: string;
  readonly missing: boolean;
  readonly trash: boolean;
}

const columns = `i.id, i.file name, i.width, i.height, i.created_at createdAt, i.prompt, i.seed, i.subject_id subjectId,
  i.run_id runId, i.step, i.favourite, i.score`;

export class Images {
  constructor(private readonly db: Database) {}

  /** A page, by keyset pagination. `after`: the `next` of an earlier page. */
  page(
    filter: ImageFilter,
    order: ImageOrder,
    limit: number,
    after?: string,
  ): { images: Image[]; next: string | null } {
    const { sql, values } = condition(filter);
    const { by, key, beyond, readKey } = orders[order];
    const place = after === undefined ? undefined : readKey(after);
    const rows = this.db
      .prepare(
        `SELECT ${columns}, ${key} key FROM images i WHERE ${sql}${place ? ` AND ${beyond}` : ''} ORDER BY ${by} LIMIT @limit`,
      )
      .all({ ...values, ...place, limit: limit + 1 }) as (Row & { key: number })[];
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const next = rows.length > limit && last ? `${last.key}:${last.id}` : null;
    return { images: page.map(({ key: _, ...row }) => toImage(row)), next };
  }

  /** All that match, in order. */
  ids(filter: ImageFilter, order: ImageOrder): number[] {
    const { sql, values } = condition(filter);
    return this.db
      .prepare(`SELECT i.id FROM images i WHERE ${sql} ORDER BY ${orders[order].by}`)
      .pluck()
      .all(values) as number[];
  }

  count(filter: ImageFilter = {}): number {
    const { sql, values } = condition(filter);
    return this.db.prepare(`SELECT count(*) FROM images i WHERE ${sql}`).pluck().get(values) as number;
  }

  /** In the order of `ids`, without those that are gone. CROSS JOIN makes SQLite look each one up by its id. */
  get(ids: readonly number[]): Image[] {
    const rows = this.db
      .prepare(
        `SELECT ${columns} FROM json_each(?) wanted CROSS JOIN images i ON i.id = wanted.value
         WHERE i.trash IS NULL ORDER BY wanted.key`,
      )
      .all(JSON.stringify(ids)) as Row[];
    return rows.map(toImage);
  }

  detail(id: number): ImageDetail {
    return only(this.details('i.id = ?', id), 'picture');
  }

  byHash(hash: string): ImageDetail | undefined {
    return this.details('i.hash = ?', hash)[0];
  }

  /** The files of pictures, also of those in the trash: the first `limit` by id after `after`. */
  files(after: number, limit: number): StoredFile[] {
    const rows = this.db
      .prepare(
        'SELECT file, id, hash, missing, trash IS NOT NULL trash FROM images WHERE id > ? ORDER BY id LIMIT ?',
      )
      .all(after, limit) as (Omit<StoredFile, 'missing' | 'trash'> & { missing: number; trash: number })[];
    return rows.map(({ missing, trash, ...rest }) => ({
      ...rest,
      missing: missing === 1,
      trash: trash === 1,
    }));
  }

  hasFile(file: string): boolean {
    return this.db.prepare('SELECT 1 FROM images WHERE file = ?').get(file) !== undefined;
  }

  /** Forgets the picture that was at `file`: it is gone, and another one has its name now. */
  forget(file: string): void {
    this.db.prepare('DELETE FROM images WHERE file = ?').run(file);
  }

  add(image: NewImage): ImageDetail {
    const negative = image.recipe?.negative ?? '';
    return this.detail(insert(this.db, 'images', { createdAt: Date.now(), ...image, negative }));
  }

  /** The file of a picture was found elsewhere, or is gone (null). */
  move(id: number, file: string | null): void {
    update(this.db, 'images', id, file === null ? { missing: 1 } : { file, missing: 0 });
  }

  setFavourite(ids: readonly number[], favourite: boolean): void {
    this.db
      .prepare('UPDATE images SET favourite = ? WHERE id IN (SELECT value FROM json_each(?))')
      .run(Number(favourite), JSON.stringify(ids));
  }

  setScore(id: number, score: number): void {
    update(this.db, 'images', id, { score });
  }

  private details(where: string, value: number | string): ImageDetail[] {
    const rows = this.db
      .prepare(
        `SELECT ${columns}, i.file, i.bytes, i.hash, i.recipe FROM images i WHERE i.trash IS NULL AND ${where} LIMIT 1`,
      )
      .all(value) as DetailRow[];
    return rows.map((row) => ({ ...toImage(row), ...stored(row) }));
  }
}

function stored({ file, bytes, hash, recipe }: DetailRow): Omit<ImageDetail, keyof Image> {
  return { file, bytes, hash, recipe: parseCell(recipeSchema, recipe) };
}

function toImage<R extends Row>(row: R): Omit<R, 'favourite'> & { favourite: boolean } {
  return { ...row, name: row.name.slice(row.name.lastIndexOf('/') + 1), favourite: row.favourite === 1 };
}
