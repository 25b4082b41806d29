import type { AskedDistill } from '../../src-shared/domain/distillSettings.ts';
import type { EvaluationTable } from '../../src-shared/domain/evaluation.ts';
import type { JobKind } from '../../src-shared/domain/job.ts';
import type { Problem } from '../../src-shared/messages/problem.ts';
import type { WorkerEvent } from '../../src-shared/domain/workerMessages.ts';
import type { CompressRequest } from './compression/request.ts';
import type { DreamboothRequest } from './dreambooth/request.ts';
import type { DownloadRequest } from './download/download.ts';
import type { SetRequest, SubjectRequest } from './evaluation/request.ts';
import type { ExportResult } from './export/export.ts';
import type { GenerateTask } from './generation/generateParts.ts';
import type { GuidedExportRequest } from './guidance/exportGuided.ts';
import type { InfluenceResult } from './influence/influence.ts';
import type { InfluenceRequest } from './influence/request.ts';
import type { Report } from './inspect/inspect.ts';
import type { ModelLock } from './modelLock.ts';
import type { VarietyRequest } from './photos/variety.ts';
import type { BestResult } from './score/trainUntilBest.ts';
import type { ScoreRequest } from './score/request.ts';
import type { ScoreResult } from './score/score.ts';
import type { DryRunFigures, DryRunRequest } from './training/dryRun.ts';
import type { FinetuneResult } from '../engine/training/run/finetune.ts';
import type { RerunRequest, RerunResult } from './training/rerun.ts';
import type { FinetuneRequest } from './training/request.ts';

/** The task and the result of each kind of job, as they cross to a worker process and back. */
interface Contract {
  readonly train: {
    /** With `until`, every checkpoint is scored so, and the run ends when none gets better. */
    readonly task: (
      { readonly request: FinetuneRequest; readonly until?: ScoreRequest } | { readonly rerun: RerunRequest }
    ) & {
      readonly version: string;
    };
    readonly result: FinetuneResult &
      Partial<Pick<RerunResult, 'same' | 'changed'> & Pick<BestResult, 'scores' | 'endedEarly'>>;
  };
  readonly measure: {
    readonly task: { readonly request: DryRunRequest; readonly version: string };
    readonly result: DryRunFigures;
  };
  /** Its pictures come as events while they are made. */
  readonly generate: { readonly task: GenerateTask; readonly result: undefined };
  readonly influence: { readonly task: InfluenceRequest; readonly result: InfluenceResult };
  readonly evaluate: {
    readonly task:
      | { readonly set: SetRequest }
      | { readonly subject: SubjectRequest }
      | { readonly dreambooth: DreamboothRequest; readonly version: string };
    readonly result: EvaluationTable;
  };
  readonly score: { readonly task: ScoreRequest; readonly result: ScoreResult };
  readonly export: {
    readonly task: { readonly request: GuidedExportRequest; readonly version: string };
    readonly result: ExportResult;
  };
  readonly import: { readonly task: { readonly path: string }; readonly result: Report };
  /** Its advice is written to the folder in its task. */
  readonly advise: { readonly task: CompressRequest; readonly result: undefined };
  readonly compress: { readonly task: CompressRequest; readonly result: Report };
  readonly distill: { readonly task: DistillTask; readonly result: Report };
  readonly download: { readonly task: DownloadRequest; readonly result: Report };
}

export type TaskOf<K extends JobKind> = Contract[K]['task'];
export type ResultOf<K extends JobKind> = Contract[K]['result'];

/** A run of distillation, then the model that is written of it. */
interface DistillTask {
  readonly run: string;
  readonly out: string;
  readonly version: string;
  readonly settings: AskedDistill;
}

export interface Start<K extends JobKind> {
  readonly type: 'start';
  readonly kind: K;
  readonly task: TaskOf<K>;
  /** The worker may open sockets to other machines. */
  readonly online: boolean;
  /** Models that must not have changed since they were added. */
  readonly locks: readonly ModelLock[];
  /** After this task, the worker waits for another one and keeps what it has opened; else it ends. */
  readonly stay: boolean;
}

/** Open what a task will need, as it will start soon. Nothing is reported. */
export interface Prepare {
  readonly type: 'prepare';
  readonly task: TaskOf<'generate'>;
}

/** A question that takes a second and is no job: how different photos are. Its worker answers and ends. */
export interface AskVariety {
  readonly type: 'variety';
  readonly request: VarietyRequest;
}

/** Messages to a worker process: `start`, then perhaps `stop`, which keeps what is worth keeping; `prepare` while it waits. */
export type ToWorker = Start<JobKind> | Prepare | AskVariety | { readonly type: 'stop' };

/** Messages from it; `done` or `failed` come last. */
export type FromWorker =
  | { readonly type: 'event'; readonly event: WorkerEvent }
  | { readonly type: 'memory'; readonly bytes: number }
  /** It wanted to reach another machine. */
  | { readonly type: 'socket'; readonly host: string; readonly refused: boolean }
  /** To `AskVariety`. */
  | { readonly type: 'answer'; readonly variety: number | null }
  | { readonly type: 'done'; readonly result: ResultOf<JobKind> }
  | { readonly type: 'failed'; readonly problem: Problem };
