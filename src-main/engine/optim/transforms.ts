import { add, div, mul, sqrt, square, sub } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';

/** What a transform may look at: the parameter, its slots (same shape), and numbers that change from step to step. */
export interface Surroundings {
  readonly parameter: Value;
  readonly slot: (name: string) => Value;
  readonly number: (name: StepNumber) => Value;
}

/** Numbers fed at every step. */
export type StepNumber = 'clip' | 'learningRate' | 'correction1' | 'correction2';

/** From a gradient (or what an earlier transform made of it) to an update, with new contents for some slots. */
export interface Transform {
  readonly slots: readonly string[];
  readonly apply: (
    update: Value,
    surroundings: Surroundings,
  ) => { update: Value; slots?: Record<string, Value> };
}

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** Multiplies by the factor that brings the global norm down to its limit. */
export const clipByGlobalNorm: Transform = {
  slots: [],
  apply: (update, { number }) => ({ update: mul(update, number('clip')) }),
};

/** m̂/(√v̂ + ε) (Kingma & Ba 2014), with torch's order of operations. */
export function adam({ beta1, beta2, epsilon }: AdamOptions): Transform {
  return {
    slots: ['m', 'v'],
    apply: (gradient, { slot, number }) => {
      const m = add(slot('m'), mul(sub(gradient, slot('m')), 1 - beta1));
      const v = add(mul(slot('v'), beta2), mul(square(gradient), 1 - beta2));
      const denominator = add(div(sqrt(v), sqrt(number('correction2'))), epsilon);
      return { update: div(div(m, number('correction1')), denominator), slots: { m, v } };
    },
  };
}

/** Adds weightDecay·parameter to the update: decoupled decay (Loshchilov & Hutter 2017, AdamW). */
export function decayWeights(weightDecay: number): Transform {
  return {
    slots: [],
    apply: (update, { parameter }) => ({ update: add(update, mul(parameter, weightDecay)) }),
  };
}

export const scaleByLearningRate: Transform = {
  slots: [],
  apply: (update, { number }) => ({ update: mul(update, number('learningRate')) }),
};

export function chain(...transforms: readonly Transform[]): Transform {
  return {
    slots: transforms.flatMap(({ slots }) => slots),
    apply: (gradient, surroundings) => {
      let update = gradient;
      const slots: Record<string, Value> = {};
      for (const transform of transforms) {
        const result = transform.apply(update, surroundings);
        update = result.update;
        Object.assign(slots, result.slots);
      }
      return { update, slots };
    },
  };
}

export interface AdamWOptions extends AdamOptions {
  readonly weightDecay: number;
}

/** torch.optim.AdamW after torch.nn.utils.clip_grad_norm_. */
export function adamW(options: AdamWOptions): Transform {
  return chain(clipByGlobalNorm, adam(options), decayWeights(options.weightDecay), scaleByLearningRate);
}
