import type { Database } from 'better-sqlite3';
import * as z from 'zod';
import {
  cropSchema,
  photoMarkSchema,
  type Crop,
  type Photo,
  type PhotoMark,
} from '../../src-shared/domain/photo.ts';
import { insert, only, parseCell, update } from './rows.ts';

interface Row extends Omit<Photo, 'crop' | 'hasMask' | 'marks' | 'missing' | 'caption'> {
  crop: string | null;
  mask: string | null;
  marks: string;
  missing: number;
}

/** A photo and the file name of its mask in the subject's `masks/`; its caption is a file beside it. */
export interface StoredPhoto extends Omit<Photo, 'caption'> {
  readonly mask: string | null;
}

export type NewPhoto = Pick<Photo, 'subjectId' | 'name' | 'width' | 'height' | 'bytes' | 'hash'>;

/** Raised whenever preflight judges the same photo differently; 1: it looks at the chosen square; 2: at the command line's size. */
const preflight = 2;

export class Photos {
  constructor(private readonly db: Database) {}

  /** In the order they were added. */
  list(subjectId: number): StoredPhoto[] {
    return this.select('AND subject_id = ? ORDER BY id', subjectId);
  }

  get(id: number): StoredPhoto {
    return only(this.select('AND id = ?', id), 'photo');
  }

  byHash(subjectId: number, hash: string): StoredPhoto | undefined {
    return this.select('AND subject_id = ? AND hash = ?', subjectId, hash)[0];
  }

  /** File names of photos, also of those in the trash, whose files are still there. */
  namesIn(subjectId: number): string[] {
    return this.db.prepare('SELECT name FROM photos WHERE subject_id = ?').pluck().all(subjectId) as string[];
  }

  add(photo: NewPhoto): StoredPhoto {
    return this.get(insert(this.db, 'photos', { ...photo, addedAt: Date.now() }));
  }

  setCrop(id: number, crop: Crop | null): void {
    update(this.db, 'photos', id, { crop });
  }

  setMask(id: number, mask: string | null): void {
    update(this.db, 'photos', id, { mask });
  }

  setMarks(id: number, marks: readonly PhotoMark[]): void {
    update(this.db, 'photos', id, { marks, markedBy: preflight });
  }

  /** Photos that an earlier version of preflight marked. */
  markedBefore(): StoredPhoto[] {
    return this.select(`AND missing = 0 AND marked_by < ${preflight} ORDER BY id`);
  }

  setMissing(id: number, missing: boolean): void {
    update(this.db, 'photos', id, { missing });
  }

  rename(id: number, name: string): void {
    update(this.db, 'photos', id, { name, missing: 0 });
  }

  private select(rest: string, ...values: (number | string)[]): StoredPhoto[] {
    const rows = this.db
      .prepare(
        `SELECT id, subject_id subjectId, name, width, height, bytes, hash, added_at addedAt, crop, mask, marks, missing
         FROM photos WHERE trash IS NULL ${rest}`,
      )
      .all(...values) as Row[];
    return rows.map((row) => ({
      ...row,
      crop: parseCell(cropSchema, row.crop),
      hasMask: row.mask !== null,
      marks: parseCell(z.array(photoMarkSchema), row.marks) ?? [],
      missing: row.missing === 1,
    }));
  }
}
