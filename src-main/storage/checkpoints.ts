import type { Database } from 'better-sqlite3';
import type { Checkpoint } from '../../src-shared/domain/run.ts';
import { checkpointScoreSchema, type CheckpointScore } from '../../src-shared/domain/score.ts';
import { parseCell } from './rows.ts';

type Row = Omit<Checkpoint, 'sample' | 'score'> & { sample: number; score: string | null };

export class Checkpoints {
  constructor(private readonly db: Database) {}

  list(runId: number): Checkpoint[] {
    const rows = this.db
      .prepare(
        `SELECT id, run_id runId, step, created_at createdAt, sample, score FROM checkpoints WHERE run_id = ? ORDER BY step`,
      )
      .all(runId) as Row[];
    return rows.map((row) => ({
      ...row,
      sample: row.sample === 1,
      score: parseCell(checkpointScoreSchema, row.score),
    }));
  }

  /** Adds the checkpoint of `step`, or returns the one that is there. */
  add(runId: number, step: number): Checkpoint {
    this.db
      .prepare('INSERT OR IGNORE INTO checkpoints (run_id, step, created_at) VALUES (?, ?, ?)')
      .run(runId, step, Date.now());
    return this.list(runId).find((checkpoint) => checkpoint.step === step) as Checkpoint;
  }

  /** Drops what is not in `steps`, adds what is missing. */
  keepOnly(runId: number, steps: readonly number[]): void {
    this.db.transaction(() => {
      for (const { id, step } of this.list(runId))
        if (!steps.includes(step)) this.db.prepare('DELETE FROM checkpoints WHERE id = ?').run(id);
      for (const step of steps) this.add(runId, step);
    })();
  }

  setSample(runId: number, step: number): void {
    this.db.prepare('UPDATE checkpoints SET sample = 1 WHERE run_id = ? AND step = ?').run(runId, step);
  }

  setScore(runId: number, step: number, score: CheckpointScore): void {
    this.db
      .prepare('UPDATE checkpoints SET score = ? WHERE run_id = ? AND step = ?')
      .run(JSON.stringify(score), runId, step);
  }
}
