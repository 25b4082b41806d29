import type { GenerateRequest } from './generation/request.ts';
import type { LikenessRequest } from './score/likenessMeter.ts';
import type { DryRunRequest } from './training/dryRun.ts';
import type { FinetuneRequest } from './training/request.ts';

export interface TrainTask {
  readonly request: FinetuneRequest;
  readonly version: string;
}

export interface MeasureTask {
  readonly request: DryRunRequest;
  readonly version: string;
}

export interface GenerateTask {
  /** Each with the index of its first picture. */
  readonly parts: readonly {
    readonly first: number;
    readonly request: GenerateRequest;
    /** Of the subject that is drawn, if it is one's. */
    readonly likeness?: LikenessRequest;
  }[];
  readonly total: number;
  readonly version: string;
}

/** The message of the task `distill`: the run, then the model that is written of it. */
export interface DistillTask {
  readonly run: string;
  readonly out: string;
  readonly version: string;
  readonly settings: {
    readonly teacher: string;
    readonly student: string;
    readonly data: string;
    readonly steps: number;
    readonly batch: number;
    readonly learningRate: number;
  };
}
