import { input, mul } from '../../graph/build.ts';
import type { Value } from '../../graph/ops.ts';
import type { Model } from '../../checkpoints/model.ts';
import { storedWeights } from '../../pipelines/weights.ts';
import type { Precision } from '../../../../src-shared/domain/precision.ts';
import type { ProviderChoice } from '../../../../src-shared/domain/providers.ts';
import { f32 } from '../../tensor/tensor.ts';
import { diffusionLoss } from './diffusionLoss.ts';
import type { Feeds, LossOptions, RowLoss } from './gradients.ts';
import type { Trained } from './parameters.ts';
import { rowOf } from './rows.ts';

export interface FinetuneObjectiveOptions {
  /** Rows of a batch. */
  readonly rows: number;
  readonly latents: readonly [number, number, number];
  /** Weight of the class's half of each batch; none when left out. */
  readonly priorWeight?: number | undefined;
  /** The subject's rows come with loss weights. */
  readonly masked?: boolean | undefined;
  readonly minSnr?: boolean | undefined;
  readonly precision?: Precision | undefined;
  readonly frugal?: boolean | undefined;
  readonly provider?: ProviderChoice | undefined;
  readonly threads?: number | undefined;
}

/** DreamBooth's loss, ready for a trainer. Errors: `tensor.…`. */
export function finetuneObjective(
  model: Model,
  trained: Trained,
  options: FinetuneObjectiveOptions,
): LossOptions {
  const { rows: batch, latents, priorWeight, masked = false, minSnr = false } = options;
  const { frugal = false, provider, precision, threads } = options;
  const { adapters, names, words } = trained;
  const { loss, subject, between } = diffusionLoss(model, {
    ...{ batch, latents, masked, minSnr, words },
    ...(priorWeight !== undefined && { priorWeight }),
    ...(adapters && { adapters }),
  });
  const isTrained = new Set(names);
  const ready = (of: { readonly loss: Value; readonly subject: Value }): LossOptions => ({
    loss: of.loss,
    frugal,
    ...(priorWeight !== undefined && { metrics: { subject: of.subject } }),
    trained: names,
    weights: storedWeights({ outputs: { loss: of.loss } }, model, undefined, (name) => isTrained.has(name)),
    ...(provider && { provider }),
    ...(precision && { precision }),
    ...(threads && { threads }),
  });
  const byRow = (): RowLoss => {
    const one = diffusionLoss(model, {
      ...{ batch: 1, latents, masked, minSnr, words },
      ...(adapters && { adapters }),
    });
    const shares = {
      loss: mul(one.loss, input('share', [])),
      subject: mul(one.loss, input('subject_share', [])),
    };
    return {
      options: { ...ready(shares), between: one.between, tight: true },
      rows: (feeds) => weighedRows(feeds, batch, priorWeight),
    };
  };
  return { ...ready({ loss, subject }), between, ...(batch > 1 && { byRow }) };
}

/**
 * The rows of a batch, each with its loss' factor in the batch's loss and in the subject's: the mean over rows is the batch's.
 * Scalars belong to each row. Only the subject's rows have loss weights; the class's get ones.
 */
function weighedRows(feeds: Feeds, batch: number, priorWeight: number | undefined): Feeds[] {
  const ofSubject = priorWeight === undefined ? batch : batch / 2;
  const share = batch / ofSubject;
  return Array.from({ length: batch }, (_, row): Feeds => {
    const isSubject = row < ofSubject;
    const own = Object.entries(feeds).map(([name, tensor]) => {
      if (!tensor.shape.length) return [name, tensor] as const;
      const isThere = row < (tensor.shape[0] as number);
      const one = rowOf(tensor, isThere ? row : 0);
      return [name, isThere ? one : f32(one.shape, new Float32Array(one.data.length).fill(1))] as const;
    });
    return {
      ...Object.fromEntries(own),
      share: f32([], [isSubject ? share : share * (priorWeight ?? 1)]),
      subject_share: f32([], [isSubject ? share : 0]),
    };
  });
}
