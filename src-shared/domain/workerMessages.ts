import type { JobEvent } from './jobEvents.ts';

/** A picture, complete on disk; `index` counts those of the task. */
export interface PictureEvent {
  readonly type: 'picture';
  readonly index: number;
  readonly path: string;
}

/** How much picture `index` looks like the subject, 0…1. */
export interface LikenessEvent {
  readonly type: 'likeness';
  readonly index: number;
  readonly value: number;
}

/** Pictures are chosen among many tries: how many there were so far, and how many are kept. */
export interface TriedEvent {
  readonly type: 'tried';
  readonly tried: number;
  readonly kept: number;
}

/** A coarse view of a picture that is being made: PNG as a data URL. */
export interface PreviewEvent {
  readonly type: 'preview';
  readonly index: number;
  readonly step: number;
  readonly steps: number;
  readonly image: string;
}

/** How much of one file of a download is there. */
export interface FileEvent {
  readonly type: 'file';
  readonly file: string;
  readonly done: number;
  readonly total: number;
}

export type WorkerEvent = JobEvent | PictureEvent | LikenessEvent | TriedEvent | PreviewEvent | FileEvent;
