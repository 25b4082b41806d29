import type { Database } from 'better-sqlite3';
import { trainingSettings, type TrainingSettings } from '../../src-shared/domain/finetuneSettings.ts';
import { fromJson } from '../../src-shared/domain/fromJson.ts';
import { parseSettings, salvagedSettings } from '../../src-shared/domain/settingValues.ts';
import { problemSchema, type Problem } from '../../src-shared/messages/problem.ts';
import type { Run } from '../../src-shared/domain/run.ts';
import { LikenessError, problem } from '../../src-shared/messages/index.ts';
import { insert, only, parseCell, update } from './rows.ts';

type Row = Omit<Run, 'settings' | 'error'> & { settings: string; error: string | null };

export type NewRun = Pick<Run, 'subjectId' | 'name' | 'folder' | 'modelId' | 'modelName' | 'settings'> &
  Partial<Pick<Run, 'state' | 'step' | 'createdAt'>>;

export type RunChanges = Partial<
  Pick<Run, 'name' | 'state' | 'step' | 'loss' | 'secondsPerStep' | 'finishedAt' | 'pickedStep' | 'settings'>
> & { error?: Problem | null };

export class Runs {
  constructor(private readonly db: Database) {}

  /** Newest first. */
  list(subjectId?: number): Run[] {
    return subjectId === undefined
      ? this.select('ORDER BY r.id DESC')
      : this.select('AND r.subject_id = ? ORDER BY r.id DESC', subjectId);
  }

  get(id: number): Run {
    return only(this.select('AND r.id = ?', id), 'run');
  }

  /** The settings to train with. Errors: `run.settings` where the row does not hold them. */
  settingsOf(id: number): TrainingSettings {
    const { settings, error } = this.get(id);
    if (error?.code === 'run.settings') throw new LikenessError('run.settings', error.message);
    return settings;
  }

  /** Every folder that a run has, those in the trash too. */
  folders(): string[] {
    return this.db.prepare('SELECT folder FROM runs').pluck().all() as string[];
  }

  create(run: NewRun): Run {
    return this.get(insert(this.db, 'runs', { state: 'queued', step: 0, createdAt: Date.now(), ...run }));
  }

  change(id: number, changes: RunChanges): Run {
    update(this.db, 'runs', id, changes);
    return this.get(id);
  }

  private select(rest: string, ...values: (number | string)[]): Run[] {
    const rows = this.db
      .prepare(
        `SELECT r.id, r.subject_id subjectId, r.name, r.folder, r.state, r.model_id modelId, r.model_name modelName,
           r.settings, r.step, r.loss, r.seconds_per_step secondsPerStep, r.created_at createdAt,
           r.finished_at finishedAt, r.error, r.picked_step pickedStep,
           (SELECT max(id) FROM jobs j WHERE j.run_id = r.id AND j.kind = 'train'
              AND j.state IN ('queued', 'running', 'paused')) jobId,
           (SELECT count(*) FROM checkpoints c WHERE c.run_id = r.id) checkpoints
         FROM runs r JOIN subjects s ON s.id = r.subject_id AND s.trash IS NULL
         WHERE r.trash IS NULL ${rest}`,
      )
      .all(...values) as Row[];
    return rows.map((row) => {
      const error = parseCell(problemSchema, row.error);
      const kept = fromJson(row.settings);
      const read = parseSettings(trainingSettings, kept);
      if ('settings' in read) return { ...row, settings: read.settings, error };
      const { code, message } = problem('run.settings', { name: row.name, why: read.fault });
      // Shown as far as they can be read; `settingsOf` refuses them for training.
      return {
        ...row,
        settings: salvagedSettings(trainingSettings, kept, { size: 512 }),
        error: { code, message },
      };
    });
  }
}
