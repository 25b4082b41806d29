/** A part of a task. */
export interface Phase {
  /** For people: "class pictures". */
  readonly label: string;
  readonly total: number;
  /** Cost of one unit, in any measure that the plan's phases share; 0 if unknown. */
  readonly weight: number;
}

/** All phases of a task. They may alternate: steps, a sample, steps. */
export interface PlanEvent {
  readonly type: 'plan';
  readonly phases: readonly Phase[];
}

/** How far a task is, in its own units; the receiver estimates the time left. Also sent when a phase begins. */
export interface ProgressEvent {
  readonly type: 'progress';
  readonly done: number;
  readonly total: number;
  /** The current phase: "class pictures". Without a plan, a new label starts a new estimate. */
  readonly label?: string;
}

/** One optimizer step; distillation adds its parts of the loss, a finetune with class pictures that of the photos. */
export interface StepEvent {
  readonly type: 'step';
  readonly step: number;
  readonly loss: number;
  /** The mean of about the last twenty losses, as a single one depends mostly on its noise. */
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

/** Information for the person. */
export interface NoteEvent {
  readonly type: 'note';
  readonly message: string;
}

/** The result may differ from the request: a prompt was cut, a file ignored. */
export interface WarningEvent {
  readonly type: 'warning';
  readonly message: string;
}

/** The events of a long task. */
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
 * What a feature gets besides its settings. When `signal` aborts, it keeps what is worth keeping and throws `signal.reason`
 * (`signal.throwIfAborted()`). Between steps it must let the event loop turn, or no signal arrives.
 */
export interface JobContext {
  readonly report: (event: JobEvent) => void;
  readonly signal: AbortSignal;
}
