import type { SchedulerConfig } from './config.ts';

type Spacing = Pick<SchedulerConfig, 'num_train_timesteps' | 'timestep_spacing' | 'steps_offset'>;

/** Rounds halves to even, as numpy does. */
export function roundEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** `numpy.linspace(start, stop, n)`. */
export function linspace(start: number, stop: number, n: number): number[] {
  const step = (stop - start) / (n - 1);
  return Array.from({ length: n }, (_, i) =>
    i === n - 1 && n > 1 ? stop : i === 0 ? start : i * step + start,
  );
}

const leading = (ratio: number, steps: number, offset: number) =>
  Array.from({ length: steps }, (_, i) => i * ratio + offset).reverse();

function trailing(from: number, ratio: number): number[] {
  // numpy.arange multiplies the difference of its first two values, which decides halves like 937.5.
  const delta = from - (from - ratio);
  return Array.from({ length: Math.ceil(from / ratio) }, (_, i) => roundEven(from - i * delta) - 1);
}

/**
 * Timesteps in sampling order (descending): Lin et al. 2023, table 2, as diffusers computes it for DDIM, DDPM, PNDM
 * and, with fractions kept in `linspace`, for the Euler samplers.
 */
export function spacedTimesteps(config: Spacing, steps: number): number[] {
  const total = config.num_train_timesteps;
  if (config.timestep_spacing === 'linspace') return linspace(0, total - 1, steps).reverse();
  if (config.timestep_spacing === 'trailing') return trailing(total, total / steps);
  return leading(Math.floor(total / steps), steps, config.steps_offset);
}

/** The same for DPMSolverMultistep: one point more than steps, without the lowest; `last` cuts the noisy end off. */
export function dpmTimesteps(config: Spacing, steps: number, last: number): number[] {
  if (config.timestep_spacing === 'linspace')
    return linspace(0, last - 1, steps + 1)
      .map(roundEven)
      .reverse()
      .slice(0, -1);
  if (config.timestep_spacing === 'trailing') return trailing(last, config.num_train_timesteps / steps);
  return leading(Math.floor(last / (steps + 1)), steps + 1, config.steps_offset).slice(0, -1);
}
