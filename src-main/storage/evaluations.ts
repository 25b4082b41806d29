import type { Database } from 'better-sqlite3';
import * as z from 'zod';
import {
  evaluationTableSchema,
  type EvaluationReport,
  type NewEvaluation,
} from '../../src-shared/domain/evaluation.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { insert, parseCell } from './rows.ts';

type Row = Omit<EvaluationReport, 'notes' | 'figures'> & { notes: string; figures: string };

export class Evaluations {
  constructor(private readonly db: Database) {}

  /** Newest first. */
  list(): EvaluationReport[] {
    return this.select('ORDER BY id DESC');
  }

  get(id: number): EvaluationReport {
    const [found] = this.select('AND id = ?', id);
    if (!found) throw problem('library.gone', { what: 'measurement' });
    return found;
  }

  add({ name, path, notes, figures, measuredAt }: NewEvaluation): EvaluationReport {
    const texts = { notes: JSON.stringify(notes), figures: JSON.stringify(figures) };
    return this.get(insert(this.db, 'evaluations', { name, path, ...texts, measured_at: measuredAt }));
  }

  private select(rest: string, ...values: number[]): EvaluationReport[] {
    const rows = this.db
      .prepare(
        `SELECT id, name, path, notes, figures, measured_at measuredAt
         FROM evaluations WHERE trash IS NULL ${rest}`,
      )
      .all(...values) as Row[];
    return rows.map((row) => ({
      ...row,
      notes: parseCell(z.array(z.string()), row.notes) ?? [],
      figures: parseCell(evaluationTableSchema, row.figures) ?? { columns: [], rows: [] },
    }));
  }
}
