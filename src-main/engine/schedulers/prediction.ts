import type { SchedulerConfig } from './config.ts';
import { combine } from './vector.ts';

type PredictionType = SchedulerConfig['prediction_type'];

/** The picture x0 that the model's output implies for x = α·x0 + σ·noise. */
export function predictedX0(
  type: PredictionType,
  output: Float32Array,
  x: Float32Array,
  alpha: number,
  sigma: number,
): Float32Array {
  if (type === 'sample') return output;
  if (type === 'v_prediction') return combine([alpha, x], [-sigma, output]);
  return combine([1 / alpha, x], [-sigma / alpha, output]);
}

/** The noise that the model's output implies, likewise. */
export function predictedNoise(
  type: PredictionType,
  output: Float32Array,
  x: Float32Array,
  alpha: number,
  sigma: number,
): Float32Array {
  if (type === 'epsilon') return output;
  if (type === 'v_prediction') return combine([alpha, output], [sigma, x]);
  return combine([1 / sigma, x], [-alpha / sigma, output]);
}
