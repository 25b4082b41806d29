import type { Database } from 'better-sqlite3';
import type { Subject } from '../../src-shared/domain/subject.ts';
import { insert, only, update } from './rows.ts';

type Row = Omit<Subject, 'sample'> & { sample: number };

export interface NewSubject {
  readonly projectId: number;
  readonly name: string;
  readonly classNoun: string;
  readonly token: string;
  readonly folder: string;
  readonly sample?: boolean;
}

/** What is undefined stays as it is. */
type SubjectChanges = {
  readonly [K in 'name' | 'classNoun' | 'token' | 'projectId']?: NewSubject[K] | undefined;
} & { readonly watched?: string | null };

export class Subjects {
  constructor(private readonly db: Database) {}

  /** Newest first. */
  list(projectId?: number): Subject[] {
    return projectId === undefined
      ? this.select('ORDER BY s.id DESC')
      : this.select('AND s.project_id = ? ORDER BY s.id DESC', projectId);
  }

  get(id: number): Subject {
    return only(this.select('AND s.id = ?', id), 'subject');
  }

  sample(): Subject | undefined {
    return this.select('AND s.sample = 1')[0];
  }

  create(subject: NewSubject): Subject {
    return this.get(insert(this.db, 'subjects', { ...subject, createdAt: Date.now() }));
  }

  change(id: number, changes: SubjectChanges): Subject {
    this.get(id);
    update(this.db, 'subjects', id, changes);
    return this.get(id);
  }

  /** Every folder that a subject has, those in the trash too. */
  folders(): string[] {
    return this.db.prepare('SELECT folder FROM subjects').pluck().all() as string[];
  }

  /** Records a new name of its folder, and of the runs in it. */
  move(id: number, folder: string): void {
    const { folder: before } = this.get(id);
    this.db.transaction(() => {
      update(this.db, 'subjects', id, { folder });
      this.db
        .prepare('UPDATE runs SET folder = ? || substr(folder, ?) WHERE subject_id = ?')
        .run(folder, before.length + 1, id);
    })();
  }

  private select(rest: string, ...values: (number | string)[]): Subject[] {
    const alive = 'trash IS NULL AND subject_id = s.id';
    const rows = this.db
      .prepare(
        `SELECT s.id, s.project_id projectId, s.name, s.class_noun classNoun, s.token, s.created_at createdAt,
           s.folder, s.watched, s.sample,
           (SELECT count(*) FROM photos WHERE ${alive}) photos,
           (SELECT count(*) FROM runs WHERE ${alive}) runs,
           (SELECT count(*) FROM images WHERE ${alive} AND missing = 0) images,
           (SELECT min(id) FROM photos WHERE ${alive} AND missing = 0) cover
         FROM subjects s WHERE s.trash IS NULL ${rest}`,
      )
      .all(...values) as Row[];
    return rows.map((row) => ({ ...row, sample: row.sample === 1 }));
  }
}
