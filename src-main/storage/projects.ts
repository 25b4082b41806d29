import type { Database } from 'better-sqlite3';
import type { Project } from '../../src-shared/domain/project.ts';
import { insert, only, update } from './rows.ts';

export class Projects {
  constructor(private readonly db: Database) {}

  list(): Project[] {
    return this.select('ORDER BY id') as Project[];
  }

  get(id: number): Project {
    return only(this.select('AND p.id = ?', id) as Project[], 'project');
  }

  create(name: string): Project {
    return this.get(insert(this.db, 'projects', { name, createdAt: Date.now() }));
  }

  rename(id: number, name: string): Project {
    this.get(id);
    update(this.db, 'projects', id, { name });
    return this.get(id);
  }

  private select(rest: string, ...values: number[]): unknown[] {
    return this.db
      .prepare(
        `SELECT p.id, p.name, p.created_at createdAt,
           (SELECT count(*) FROM subjects s WHERE s.project_id = p.id AND s.trash IS NULL) subjects
         FROM projects p WHERE p.trash IS NULL ${rest}`,
      )
      .all(...values);
  }
}
