import type { DistillSettings } from '../../engine/training/settings/distillSettings.ts';
import type { TeamSettings } from '../../engine/training/team/gather.ts';

/** What a person said about a distillation. Paths are absolute. */
export interface DistillRequest {
  /** The run's folder. */
  readonly out: string;
  /** Go on with the run in `out`, by its own settings; `settings` may change some of them. */
  readonly resume: boolean;
  /** Others that compute; this process alone when left out. */
  readonly team?: TeamSettings | undefined;
  readonly settings: Partial<DistillSettings>;
}

/** BK-SDM's recipe; its batch of 64×4 is for a large GPU. */
export const distillDefaults = {
  steps: 50_000,
  lambdaSd: 1,
  lambdaOutput: 1,
  lambdaFeature: 1,
  learningRate: 5e-5,
  batch: 4,
  accumulate: 1,
  schedule: 'constant',
  warmup: 0,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 1e-2,
  maxGradientNorm: 1,
  seed: 1234,
  flip: true,
  samplePrompt: 'a golden vase with different flowers',
  provider: 'auto',
} as const satisfies Partial<DistillSettings>;

/** Decay of the moving average where one is asked for, diffusers' own. */
export const usualEma = 0.9999;

/** All settings of a run: what was `asked`, over the defaults; pictures have the student's size, checkpoints come every 500 steps. */
export function completeSettings(
  asked: Partial<DistillSettings> & Pick<DistillSettings, 'teacher' | 'student' | 'size'>,
): DistillSettings {
  const settings = { ...distillDefaults, ...asked };
  const sometimes = Math.min(500, Math.max(1, Math.ceil(settings.steps / 4)));
  return {
    ...settings,
    checkpointEvery: settings.checkpointEvery ?? sometimes,
    sampleEvery: settings.sampleEvery ?? (settings.replay === undefined ? sometimes : undefined),
  };
}
