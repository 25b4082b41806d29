import type { Model } from '../../checkpoints/model.ts';
import { add, concat, input, mean, mul, slice, square, sub } from '../../graph/build.ts';
import type { Value } from '../../graph/ops.ts';
import { sizeInputs } from '../../models/config.ts';
import { encodePrompt, promptEndsInput, promptLength, type TextEncoders } from '../../models/textEncoders.ts';
import { unet } from '../../models/unet.ts';
import { Scope } from '../../nn/scope.ts';
import type { NoiseSchedule } from '../../schedulers/noiseSchedule.ts';
import type { HostTensor } from '../../tensor/tensor.ts';
import type { DiffusionBatch } from '../data/batch.ts';
import { minSnrWeights, noised, noiseFeeds } from './noising.ts';
import type { PartAdapters } from './parameters.ts';
import { wordFeeds, wordInputs, type TrainedWords } from './trainedWords.ts';

/** The parts of a model that the loss is built from. */
export interface DenoiserConfigs extends TextEncoders {
  readonly unet: Pick<Model['unet'], 'config'>;
}

export interface DiffusionLossOptions {
  /** Rows of a batch; with a prior, the first half is the subject's and the second the class's. */
  readonly batch: number;
  /** [c,h,w] of one picture's latents. */
  readonly latents: readonly [number, number, number];
  /** Weight of the class half's loss; no halves when left out. */
  readonly priorWeight?: number;
  /** The subject's rows come with loss weights. */
  readonly masked?: boolean;
  /** Each row's squared errors are weighed by its noise level. */
  readonly minSnr?: boolean;
  readonly adapters?: PartAdapters;
  /** Of a textual inversion. */
  readonly words?: TrainedWords | undefined;
}

/**
 * DreamBooth's loss (Ruiz et al. 2022; diffusers' train_dreambooth): mean squared error of what is predicted, plus
 * the same for class pictures times `priorWeight`. `subject` is the first part; with `masked`, each of its
 * squared errors is multiplied by its place's weight before the mean. A model for inpainting sees a mask and the latents of what
 * it leaves beside the noised ones (diffusers' train_dreambooth_inpaint). `squares`: of each latent's error, [b,c,h,w]. Feed it with
 * `diffusionFeeds`.
 */
export function diffusionLoss(
  model: DenoiserConfigs,
  options: DiffusionLossOptions,
): {
  readonly loss: Value;
  readonly subject: Value;
  readonly squares: Value;
  readonly between: readonly Value[];
} {
  const { batch, latents: size, priorWeight, masked = false, minSnr = false, adapters, words } = options;
  const { sample, timesteps, target } = noised(batch, size);

  const tokens = {
    ids: input('input_ids', [batch, promptLength(model)], 'i64'),
    ...promptEndsInput(model, batch),
  };
  const { context, pooled } = encodePrompt(
    (part) => Scope.root(part, adapters?.textEncoder && { adapters: adapters.textEncoder }),
    tokens,
    model,
    words && wordInputs(words, [batch, promptLength(model)]),
  );
  const added = pooled && { text_embeds: pooled, time_ids: input('time_ids', [batch, sizeInputs]) };
  const network = Scope.root('unet', adapters?.unet && { adapters: adapters.unet });
  const { in_channels: seen } = model.unet.config;
  const more = seen - size[0];
  const beside = more > 0 ? [input('beside', [batch, more, size[1], size[2]])] : [];
  const inputs = { sample: concat([sample, ...beside], 1), timesteps, context, ...(added && { added }) };
  const { sample: predicted, between: inside } = unet(network, inputs, model.unet.config);
  const between = [context, ...(pooled ? [pooled] : []), ...inside];

  const squares = square(sub(predicted, target));
  const errors = minSnr ? mul(squares, input('snr_weights', [batch, 1, 1, 1])) : squares;
  const ofSubject = (rows: number, own: Value): Value =>
    mean(masked ? mul(own, input('loss_weights', [rows, 1, size[1], size[2]])) : own);
  if (priorWeight === undefined) {
    const loss = ofSubject(batch, errors);
    return { loss, subject: loss, squares, between };
  }
  const half = (part: 0 | 1): Value => slice(errors, 0, (part * batch) / 2, ((part + 1) * batch) / 2);
  const subject = ofSubject(batch / 2, half(0));
  return { loss: add(subject, mul(mean(half(1)), priorWeight)), subject, squares, between };
}

/** The loss's inputs for a batch; `minSnrGamma` where the loss was built with `minSnr`, and `words` where it has them. */
export function diffusionFeeds(
  batch: DiffusionBatch,
  schedule: NoiseSchedule,
  minSnrGamma?: number | null,
  words?: TrainedWords,
): Record<string, HostTensor> {
  const { inputIds, promptEnds, timeIds, lossWeights, beside } = batch;
  return {
    ...noiseFeeds(batch, schedule),
    ...(words ? wordFeeds(words, inputIds) : { input_ids: inputIds }),
    ...(promptEnds && { prompt_ends: promptEnds }),
    ...(timeIds && { time_ids: timeIds }),
    ...(typeof minSnrGamma === 'number' && {
      snr_weights: minSnrWeights(batch, schedule, minSnrGamma),
    }),
    ...(lossWeights && { loss_weights: lossWeights }),
    ...(beside && { beside }),
  };
}
