import type { TeamSettings } from '../../engine/training/team/gather.ts';
import type { FinetuneSettings, LoraSettings } from '../../engine/training/settings/finetuneSettings.ts';

type Prior = NonNullable<FinetuneSettings['prior']>;

/** Settings of which any may be left out, at every level; `prior: false` asks for none. */
export type PartialSettings = Partial<Omit<FinetuneSettings, 'lora' | 'textLora' | 'prior'>> & {
  readonly lora?: Partial<LoraSettings>;
  readonly textLora?: Partial<LoraSettings>;
  readonly prior?: Partial<Prior> | false;
};

/** What a person said about a finetune. Paths are absolute. */
export interface FinetuneRequest {
  /** The run's folder. */
  readonly out: string;
  /** Go on with the run in `out`, by its own settings; `settings` may change its length, and where things are. */
  readonly resume: boolean;
  /** A new run's, where `settings` name none. */
  readonly fallbackModel?: string;
  /** Others that compute; this process alone when left out. */
  readonly team?: TeamSettings | undefined;
  readonly settings: PartialSettings;
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
  backgroundWeight: 0.3,
  provider: 'auto',
} as const satisfies PartialSettings;

export const learningRateDefaults = { lora: 1e-4, full: 1e-6 } as const;

/**
 * All settings of a run: what was `asked`, over what the model brings along (its picture size; the shipped one a tuned
 * set), over the defaults. Checkpoints, and samples of photos, come four times in a run unless said otherwise.
 */
export function completeSettings(
  asked: PartialSettings,
  own: PartialSettings & Pick<FinetuneSettings, 'model' | 'size'>,
): FinetuneSettings {
  const settings = { ...finetuneDefaults, ...own, ...asked };
  const quarter = Math.max(1, Math.ceil(settings.steps / 4));
  return {
    ...settings,
    learningRate: settings.learningRate ?? learningRateDefaults[settings.method],
    lora: { ...finetuneDefaults.lora, ...own.lora, ...asked.lora },
    textLora: { ...finetuneDefaults.textLora, ...own.textLora, ...asked.textLora },
    prior: priorOf(asked.prior, own.prior),
    checkpointEvery: settings.checkpointEvery ?? quarter,
    sampleEvery: settings.sampleEvery ?? (settings.replay === undefined ? quarter : undefined),
  };
}

/** Nothing is asked for by a group of settings that is empty. */
function priorOf(asked: PartialSettings['prior'], own: PartialSettings['prior']): FinetuneSettings['prior'] {
  const isAsked = asked !== undefined && (asked === false || Object.keys(asked).length > 0);
  if ((isAsked ? asked : own) === false) return undefined;
  return { ...finetuneDefaults.prior, ...own, ...asked };
}
