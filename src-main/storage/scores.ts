import type { Database } from 'better-sqlite3';
import { scoreReportSchema, type ScoreReport } from '../../src-shared/domain/score.ts';
import { parseCell } from './rows.ts';

export class Scores {
  constructor(private readonly db: Database) {}

  get(runId: number): ScoreReport | null {
    const text = this.db.prepare('SELECT report FROM scores WHERE run_id = ?').pluck().get(runId) as
      string | undefined;
    return parseCell(scoreReportSchema, text ?? null);
  }

  set(runId: number, report: ScoreReport): void {
    this.db
      .prepare(
        'INSERT INTO scores (run_id, report) VALUES (?, ?) ON CONFLICT DO UPDATE SET report = excluded.report',
      )
      .run(runId, JSON.stringify(report));
  }
}
