import type { FinetuneSettings } from '../../engine/training/settings.ts';

/** What a person said about a finetune; what was left out is completed. Paths are absolute. */
export interface FinetuneRequest extends Partial<FinetuneSettings> {
  /** The run's folder. */
  readonly out: string;
  /** Go on with the run in `out`: what is said here must agree with it, except for the number of steps. */
  readonly resume: boolean;
}

/** diffusers' and PEFT's DreamBooth scripts, as the BK-SDM recipe calls them. */
export const finetuneDefaults = {
  classNoun: '',
  token: 'sks',
  method: 'lora',
  steps: 800,
  batch: 1,
  accumulate: 1,
  schedule: 'constant',
  warmup: 0,
  lora: { rank: 16, alpha: 27, targets: ['to_q', 'to_v'] },
  textLora: { rank: 16, alpha: 17, targets: ['q_proj', 'v_proj'] },
  trainTextEncoder: true,
  prior: { weight: 1, classImages: 200 },
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 1e-2,
  maxGradientNorm: 1,
  seed: 1234,
  crop: 'center',
  flip: false,
  provider: 'auto',
} as const satisfies Partial<FinetuneSettings>;

export const learningRateDefaults = { lora: 1e-4, full: 1e-6 } as const;

/**
 * All settings of a run: the request over `own` (what the model brings along: its picture size, and for the shipped
 * one a tuned set) over the defaults. Checkpoints and samples come four times in a run unless said otherwise.
 */
export function completeSettings(
  { out: _out, resume: _resume, ...request }: FinetuneRequest,
  own: Partial<FinetuneSettings> & Pick<FinetuneSettings, 'model' | 'size'>,
): FinetuneSettings {
  const said = { ...finetuneDefaults, ...own, ...request };
  const quarter = Math.max(1, Math.ceil(said.steps / 4));
  return {
    ...said,
    learningRate: said.learningRate ?? learningRateDefaults[said.method],
    checkpointEvery: said.checkpointEvery ?? quarter,
    sampleEvery: said.sampleEvery ?? (said.replay === undefined ? quarter : undefined),
  };
}
