/** A part of a task. */
export interface Phase {
  /** For people: "class pictures". */
  readonly label: string;
  readonly total: number;
  /** What one of it takes, in any unit that the plan's phases share; 0 where that cannot be told. */
  readonly weight: number;
}

/** All that a task will do. Its phases may come in turns: steps, a sample, steps. */
export interface PlanEvent {
  readonly type: 'plan';
  readonly phases: readonly Phase[];
}

/** How far a task is, in units of its own; the receiver works out the time that is left. A phase says so as it begins, too. */
export interface ProgressEvent {
  readonly type: 'progress';
  readonly done: number;
  readonly total: number;
  /** What is being done, for people: "class pictures". Without a plan, a new label starts a new estimate. */
  readonly label?: string;
}

/** One optimizer step; distillation adds its parts of the loss, a finetune with class pictures that of the photos. */
export interface StepEvent {
  readonly type: 'step';
  readonly step: number;
  readonly loss: number;
  /** The mean of the last twenty or so losses: one alone says more about its noise than about the run. */
  readonly smoothed?: number;
  readonly seconds: number;
  readonly subject?: number;
  readonly sd?: number;
  readonly output?: number;
  readonly feature?: number;
}

/** The loss on the same pictures, noise and timesteps each time: before the first step, and after the last. */
export interface MeasuredEvent {
  readonly type: 'measured';
  readonly step: number;
  readonly loss: number;
}

/** A checkpoint, complete on disk. */
export interface CheckpointEvent {
  readonly type: 'checkpoint';
  readonly step: number;
  readonly path: string;
}

/** A sample picture, complete on disk. */
export interface SampleEvent {
  readonly type: 'sample';
  readonly step: number;
  readonly path: string;
}

/** Something a person should know. */
export interface NoteEvent {
  readonly type: 'note';
  readonly message: string;
}

/** The outcome may differ from what was asked for: a prompt was cut, a file ignored. */
export interface WarningEvent {
  readonly type: 'warning';
  readonly message: string;
}

/** What a long task tells while it works. */
export type JobEvent =
  | PlanEvent
  | ProgressEvent
  | StepEvent
  | MeasuredEvent
  | CheckpointEvent
  | SampleEvent
  | NoteEvent
  | WarningEvent;

/**
 * What a feature gets besides its settings. When `signal` aborts it keeps what is worth keeping and throws
 * `signal.reason` (`signal.throwIfAborted()`); between steps it lets the event loop turn, or no signal arrives.
 */
export interface JobContext {
  readonly report: (event: JobEvent) => void;
  readonly signal: AbortSignal;
}
