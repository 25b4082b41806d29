import type { DistillSettings } from '../../../../src-shared/domain/distillSettings.ts';
import type { Model } from '../../checkpoints/model.ts';
import {
  add,
  concat,
  detach,
  expand,
  halves,
  input,
  mean,
  mul,
  sqrt,
  square,
  sub,
} from '../../graph/build.ts';
import type { Value } from '../../graph/ops.ts';
import type { UNetConfig } from '../../models/config.ts';
import { unet } from '../../models/unet.ts';
import { Scope, type ScopeOptions } from '../../nn/scope.ts';
import { storedWeights } from '../../pipelines/weights.ts';
import { boundary } from '../../schedulers/lcm.ts';
import type { NoiseSchedule } from '../../schedulers/noiseSchedule.ts';
import { impliedShares } from '../../schedulers/prediction.ts';
import type { HostTensor } from '../../tensor/tensor.ts';
import type { ConsistencyBatch } from '../data/batch.ts';
import type { LossOptions } from './gradients.ts';
import { column, noised, sampleFeeds } from './noising.ts';
import { whatToTrain, type Trained } from './parameters.ts';
import { rowsOf } from './rows.ts';
import type { StartSizes } from './startingLora.ts';

export interface ConsistencyLossOptions {
  readonly batch: number;
  /** [c,h,w] of one picture's latents. */
  readonly latents: readonly [number, number, number];
  /** Tokens of a prompt. */
  readonly tokens: number;
  /** Pseudo-Huber's constant; null: squared errors. */
  readonly huber: number | null;
  readonly adapters?: ScopeOptions['adapters'];
}

/**
 * Latent consistency distillation of a model into adapters on itself (Luo et al. 2023, LCM-LoRA; diffusers'
 * `train_lcm_distill_lora_sd_wds.py`): the network with adapters is to say the same x0 at a timestep as at the next one of a DDIM
 * solver, where the solver's step follows the guided model without adapters. Nothing is learnt through what it is compared with. Feed
 * it with `consistencyFeeds`.
 */
export function consistencyLoss(
  config: UNetConfig,
  { batch, latents, tokens, huber, adapters }: ConsistencyLossOptions,
): { readonly loss: Value; readonly between: readonly Value[] } {
  const { sample, timesteps } = noised(batch, latents);
  const width = config.cross_attention_dim[0] as number;
  const context = input('context', [batch, tokens, width]);
  const negative = expand(input('negative', [1, tokens, width]), [batch, tokens, width]);
  const learner = Scope.root('unet', adapters && { adapters });
  const mixed = (name: string, x: Value, output: Value): Value => {
    const share = (of: string): Value => input(`${name}_${of}`, [batch, 1, 1, 1]);
    return add(mul(x, share('sample')), mul(output, share('output')));
  };

  const learnt = unet(learner, { sample, timesteps, context }, config);
  const guided = unet(
    learner.untaught,
    {
      sample: concat([sample, sample], 0),
      timesteps: concat([timesteps, timesteps], 0),
      context: concat([negative, context], 0),
    },
    config,
  );
  const [away, towards] = halves(guided.sample, 0);
  // As the paper writes guidance: a scale of 0 is none.
  const followed = add(towards, mul(sub(towards, away), input('guidance', [batch, 1, 1, 1])));
  const next = mixed('solver', sample, followed);
  const later = input('next_timesteps', [batch], 'i64');
  const wanted = unet(learner, { sample: next, timesteps: later, context }, config);

  const error = sub(mixed('start', sample, learnt.sample), detach(mixed('target', next, wanted.sample)));
  const squares = square(error);
  const loss = huber === null ? mean(squares) : mean(sub(sqrt(add(squares, huber ** 2)), huber));
  return { loss, between: [context, ...learnt.between] };
}

/** The loss's inputs for a batch whose timesteps are the solver's. `negative`: the empty prompt's context [1,t,d]. */
export function consistencyFeeds(
  batch: ConsistencyBatch,
  schedule: NoiseSchedule,
  { solverSteps, timestepScaling }: Pick<DistillSettings, 'solverSteps' | 'timestepScaling'>,
  negative: HostTensor<'f32'>,
): Record<string, HostTensor> {
  const { alphaBars, prediction } = schedule;
  const ratio = Math.floor(alphaBars.length / solverSteps);
  const level = (t: number): [alpha: number, sigma: number] => {
    const alphaBar = alphaBars[t] as number;
    return [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)];
  };
  const starts = Array.from(batch.timesteps.data, Number);
  const laters = starts.map((t) => Math.max(0, t - ratio));
  /** x0 by the boundary condition, as shares of the sample and of the network's output. */
  const consistent = (t: number): Shares => {
    const { skip, out } = boundary(t, timestepScaling);
    const [ofSample, ofOutput] = impliedShares(prediction, ...level(t)).x0;
    return [skip + out * ofSample, out * ofOutput];
  };
  const solved = (t: number): Shares => {
    const { x0, noise } = impliedShares(prediction, ...level(t));
    const [alpha, sigma] = level(Math.max(0, t - ratio));
    return [alpha * x0[0] + sigma * noise[0], alpha * x0[1] + sigma * noise[1]];
  };
  const shares = (name: string, values: readonly Shares[]): Record<string, HostTensor> => ({
    [`${name}_sample`]: column(values.map(([ofSample]) => ofSample)),
    [`${name}_output`]: column(values.map(([, ofOutput]) => ofOutput)),
  });
  return {
    ...sampleFeeds(batch, schedule),
    ...{ context: batch.context, negative, guidance: column(Array.from(batch.guidance.data)) },
    next_timesteps: {
      dtype: 'i64',
      shape: [laters.length],
      data: BigInt64Array.from(laters, BigInt),
    },
    ...shares('start', starts.map(consistent)),
    ...shares('solver', starts.map(solved)),
    ...shares('target', laters.map(consistent)),
  };
}

type Shares = readonly [ofSample: number, ofOutput: number];

/** Adapters on the U-Net only. Errors: `lora.target`, those of `startFrom`. */
export function consistencyLora(model: Model, { lora, seed, initLora, start }: ConsistencyLora): Trained {
  return whatToTrain(model, {
    ...{ method: 'lora', trainTextEncoder: false, lora, textLora: lora, seed },
    ...(initLora !== undefined && { initLora }),
    ...(start && { start }),
  });
}

type ConsistencyLora = Pick<DistillSettings, 'lora' | 'seed'> & {
  readonly initLora?: string | undefined;
  readonly start?: StartSizes | undefined;
};

type ConsistencyObjectiveOptions = Pick<ConsistencyLossOptions, 'batch' | 'latents'> &
  Pick<DistillSettings, 'errors'> &
  Pick<LossOptions, 'threads' | 'provider' | 'precision'>;

/** diffusers' `huber_c`. */
const huberConstant = 1e-3;

/** What a trainer needs to know of the loss. Errors: `tensor.…`. */
export function consistencyObjective(
  model: Model,
  trained: Trained,
  options: ConsistencyObjectiveOptions,
): LossOptions {
  const { batch, latents, errors, provider, precision, threads } = options;
  const { loss, between } = consistencyLoss(model.unet.config, {
    ...{ batch, latents, huber: errors === 'huber' ? huberConstant : null },
    tokens: model.textEncoder.config.max_position_embeddings,
    adapters: trained.adapters?.unet,
  });
  const isTrained = new Set(trained.names);
  return {
    ...{ loss, between, trained: trained.names },
    // It compares a network with itself a step later, after guidance.
    exact: true,
    weights: storedWeights({ outputs: { loss } }, model, undefined, (name) => isTrained.has(name)),
    ...(provider && { provider }),
    ...(precision && { precision }),
    ...(threads && { threads }),
    ...(batch > 1 && {
      byRow: () => ({
        options: { ...consistencyObjective(model, trained, { ...options, batch: 1 }), tight: true },
        rows: (feeds) => rowsOf(feeds, batch),
      }),
    }),
  };
}
