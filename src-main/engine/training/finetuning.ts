import type { Model } from '../checkpoints/model.ts';
import { storedWeights } from '../pipelines/weights.ts';
import type { ProviderChoice } from '../runtime/providers.ts';
import { diffusionLoss } from './diffusionLoss.ts';
import type { LossOptions } from './gradients.ts';
import type { PredictionType } from './noising.ts';
import type { Trained } from './trained.ts';

export interface FinetuningOptions {
  /** Rows of a batch. */
  readonly rows: number;
  readonly latents: readonly [number, number, number];
  readonly prediction: PredictionType;
  /** Weight of the class's half of each batch; none when left out. */
  readonly priorWeight?: number | undefined;
  /** The subject's rows come with loss weights. */
  readonly masked?: boolean | undefined;
  readonly provider?: ProviderChoice | undefined;
  readonly threads?: number | undefined;
}

/** What a trainer needs to know of DreamBooth's loss. Errors: `tensor.…`. */
export function finetuning(model: Model, trained: Trained, options: FinetuningOptions): LossOptions {
  const { rows: batch, latents, prediction, priorWeight, masked = false, provider, threads } = options;
  const { adapters, names } = trained;
  const { loss, subject } = diffusionLoss(model, {
    ...{ batch, latents, prediction, masked },
    ...(priorWeight !== undefined && { priorWeight }),
    ...(adapters && { adapters }),
  });
  const isTrained = new Set(names);
  return {
    loss,
    ...(priorWeight !== undefined && { metrics: { subject } }),
    trained: names,
    weights: storedWeights({ outputs: { loss } }, model, undefined, (name) => isTrained.has(name)),
    ...(provider && { provider }),
    ...(threads && { threads }),
  };
}
