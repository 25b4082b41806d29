/** How far a task is, in units of its own; the receiver works out the time that is left. */
export interface ProgressEvent {
  readonly type: 'progress';
  readonly done: number;
  readonly total: number;
  /** What is being done, for people: "class pictures". A new label starts a new estimate. */
  readonly label?: string;
}

/** One optimizer step; distillation adds its parts of the loss. */
export interface StepEvent {
  readonly type: 'step';
  readonly step: number;
  readonly loss: number;
  readonly seconds: number;
  readonly sd?: number;
  readonly output?: number;
  readonly feature?: number;
}

/** A file or folder that is complete on disk. */
export interface SavedEvent {
  readonly type: 'checkpoint' | 'sample';
  readonly step: number;
  readonly path: string;
}

/** Something a person should read: `warning` when the outcome may differ from what was asked for. */
export interface MessageEvent {
  readonly type: 'note' | 'warning';
  readonly message: string;
}

/** What a long task tells while it works. */
export type JobEvent = ProgressEvent | StepEvent | SavedEvent | MessageEvent;

/**
 * What a feature gets besides its settings. When `signal` aborts it keeps what is worth keeping and throws
 * `signal.reason` (`signal.throwIfAborted()`); between steps it lets the event loop turn, or no signal arrives.
 */
export interface JobContext {
  readonly report: (event: JobEvent) => void;
  readonly signal: AbortSignal;
}
