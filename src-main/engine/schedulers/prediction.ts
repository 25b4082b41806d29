import type { SchedulerConfig } from './config.ts';
import { clamp, combine } from './vector.ts';

/** What a denoiser predicts of x = α·x0 + σ·noise: the noise, the picture, or the velocity α·noise − σ·x0 (Salimans & Ho 2022). */
export type PredictionType = SchedulerConfig['prediction_type'];

type Shares = readonly [first: number, second: number];

interface Rule {
  /** What is predicted, as shares of x0 and noise. */
  readonly target: (alpha: number, sigma: number) => Shares;
  /** x0 and the noise, as shares of x and the model's output. */
  readonly x0: (alpha: number, sigma: number) => Shares;
  readonly noise: (alpha: number, sigma: number) => Shares;
  /** The weight of the target's squared error that gives x0's the weight SNR = α²/σ². */
  readonly snr: (alpha: number, sigma: number) => number;
}

const rules: Readonly<Record<PredictionType, Rule>> = {
  epsilon: {
    target: () => [0, 1],
    x0: (alpha, sigma) => [1 / alpha, -sigma / alpha],
    noise: () => [0, 1],
    snr: () => 1,
  },
  sample: {
    target: () => [1, 0],
    x0: () => [0, 1],
    noise: (alpha, sigma) => [1 / sigma, -alpha / sigma],
    snr: (alpha, sigma) => (alpha / sigma) ** 2,
  },
  v_prediction: {
    target: (alpha, sigma) => [-sigma, alpha],
    x0: (alpha, sigma) => [alpha, -sigma],
    noise: (alpha, sigma) => [sigma, alpha],
    snr: (alpha) => alpha ** 2,
  },
};

/** What the model learns to predict, as shares of x0 and of the noise. */
export function predictionTarget(type: PredictionType, alpha: number, sigma: number): Shares {
  return rules[type].target(alpha, sigma);
}

/**
 * Min-SNR-γ (Hang et al. 2023): the weight of the target's squared error, so that x0's counts min(SNR, γ) at every noise level.
 * As in diffusers' train_text_to_image: min(SNR, γ)/SNR for the noise, min(SNR, γ)/(SNR + 1) for the velocity.
 */
export function minSnrWeight(type: PredictionType, alpha: number, sigma: number, gamma: number): number {
  return Math.min(1, gamma / (alpha / sigma) ** 2) * rules[type].snr(alpha, sigma);
}

/** x0 and the noise that the model's output implies, as shares of x and of that output. */
export function impliedShares(
  type: PredictionType,
  alpha: number,
  sigma: number,
): { readonly x0: Shares; readonly noise: Shares } {
  return { x0: rules[type].x0(alpha, sigma), noise: rules[type].noise(alpha, sigma) };
}

/** The picture x0 that the model's output implies for x = α·x0 + σ·noise. */
export function predictedX0(
  type: PredictionType,
  output: Float32Array,
  x: Float32Array,
  alpha: number,
  sigma: number,
): Float32Array {
  return mixed(rules[type].x0(alpha, sigma), x, output);
}

/** The picture x0 that the output implies at ᾱ, clipped where the configuration says. */
export function clippedX0(
  config: SchedulerConfig,
  output: Float32Array,
  x: Float32Array,
  alphaBar: number,
): Float32Array {
  const x0 = predictedX0(config.prediction_type, output, x, Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar));
  return config.clip_sample ? clamp(x0, config.clip_sample_range) : x0;
}

/** The noise that the model's output implies, likewise. */
export function predictedNoise(
  type: PredictionType,
  output: Float32Array,
  x: Float32Array,
  alpha: number,
  sigma: number,
): Float32Array {
  return mixed(rules[type].noise(alpha, sigma), x, output);
}

/** A share of zero leaves x out even where it is not finite. */
function mixed([ofX, ofOutput]: Shares, x: Float32Array, output: Float32Array): Float32Array {
  return ofX === 0 && ofOutput === 1 ? output : combine([ofX, x], [ofOutput, output]);
}
