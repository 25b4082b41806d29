import type { StepSettings } from '../../optim/optimizer.ts';
import type { Feeds, Losses } from '../loss/gradients.ts';

export interface StepResult {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Global norm before clipping. */
  readonly gradientNorm: number;
}

/** Optimizer steps on flat arrays, which lie in this program's memory or on a device. */
export interface Steps {
  /** One update from the mean gradient of `batches`. */
  step(batches: readonly Feeds[], settings: StepSettings): Promise<StepResult>;
  /** The mean losses of `batches`; nothing is learnt. */
  measure(batches: readonly Feeds[]): Promise<Losses>;
  /** average ← average·decay + parameters·(1 − decay), where the parameters lie. */
  follow(average: Float32Array, decay: number): Promise<void>;
  /** Brings the parameters, slots and the average in this program's memory up to date. */
  sync(): Promise<void>;
  dispose(): Promise<void>;
}
