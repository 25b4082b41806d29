import { trainingConfig, type SchedulerConfig } from './config.ts';
import type { PredictionType } from './prediction.ts';

const f = Math.fround;

/** `torch.linspace(start, end, n, dtype=float32)`: filled from both ends, each half by its own multiples of the step. */
export function linspace32(start: number, end: number, n: number): Float32Array {
  const [from, to] = [f(start), f(end)];
  const step = f(f(to - from) / (n - 1));
  return Float32Array.from({ length: n }, (_, i) =>
    i < Math.floor(n / 2) ? f(from + step * i) : f(to - step * (n - 1 - i)),
  );
}

function betas(config: SchedulerConfig): Float32Array {
  const { beta_start, beta_end, num_train_timesteps: n } = config;
  if (config.trained_betas) return Float32Array.from(config.trained_betas);
  if (config.beta_schedule === 'linear') return linspace32(beta_start, beta_end, n);
  if (config.beta_schedule === 'scaled_linear') {
    return linspace32(Math.sqrt(beta_start), Math.sqrt(beta_end), n).map((root) => root * root);
  }
  // squaredcos_cap_v2: Nichol & Dhariwal 2021, equation 17, with β at most 0.999.
  const alphaBar = (t: number) => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2;
  return Float32Array.from({ length: n }, (_, i) =>
    Math.min(1 - alphaBar((i + 1) / n) / alphaBar(i / n), 0.999),
  );
}

/** ᾱ_t = Π(1 − β), accumulated in double as torch.cumprod does on the CPU. */
function cumulativeAlphas(values: Float32Array): Float32Array {
  let product = 1;
  return values.map((beta) => (product *= f(1 - beta)));
}

/** Lin et al. 2023, "Common Diffusion Noise Schedules and Sample Steps are Flawed", algorithm 1. */
function rescaleZeroTerminalSnr(values: Float32Array): Float32Array {
  const roots = cumulativeAlphas(values).map(Math.sqrt);
  const first = roots[0] as number;
  const last = roots[roots.length - 1] as number;
  const scale = f(first / f(first - last));
  const bars = roots.map((root) => f(f(root - last) * scale)).map((root) => root * root);
  return bars.map((bar, t) => 1 - f(t === 0 ? bar : bar / (bars[t - 1] as number)));
}

/** ᾱ_t for t = 0 … num_train_timesteps − 1, in f32, the same bits as diffusers' `alphas_cumprod`. */
export function alphasCumprod(config: SchedulerConfig): Float32Array {
  const values = betas(config);
  return cumulativeAlphas(config.rescale_betas_zero_snr ? rescaleZeroTerminalSnr(values) : values);
}

/** What latents at timestep t are made of, as shares of the picture's and of the noise: √ᾱ and √(1 − ᾱ). */
export function noiseLevelAt(alphas: Float32Array, t: number): readonly [ofPicture: number, ofNoise: number] {
  const alphaBar = alphas[t] as number;
  return [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)];
}

/** How a model was trained: ᾱ by timestep, and what it predicts. */
export interface NoiseSchedule {
  readonly alphaBars: Float32Array;
  readonly prediction: PredictionType;
}

/** The schedule in a model's parsed `scheduler_config.json`; `file` is named in errors. */
export function noiseSchedule(schedulerConfig: unknown, file: string): NoiseSchedule {
  const config = trainingConfig(schedulerConfig, file);
  return { alphaBars: alphasCumprod(config), prediction: config.prediction_type };
}
