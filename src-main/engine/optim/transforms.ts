import { add, div, mul, sqrt, square, sub } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';

/** What is known of an update before it is made. */
export interface StepFacts {
  /** Factor on all gradients that brings their global norm down to its limit. */
  readonly clip: number;
  readonly learningRate: number;
  /** Updates done, this one included. */
  readonly steps: number;
}

/** A value by name: `parameter`, `gradient`, a slot or a number. */
type Values = (name: string) => Value;
type Numbers = Readonly<Record<string, number>>;

/** How a parameter changes: an elementwise graph with some numbers that change from step to step. */
export interface Transform {
  /** Arrays of the parameter's shape that are kept from step to step: what each starts as. */
  readonly slots: Readonly<Record<string, 'zero' | 'parameter'>>;
  /** Decides numbers by looking at all elements first. */
  readonly survey?: Survey;
  /** From the facts and from what the survey has learnt, this step included. */
  readonly numbers: (facts: StepFacts, learnt: Float32Array) => Numbers;
  /** The new parameter and slots. */
  readonly apply: (value: Values) => Record<string, Value>;
}

/** A pass over all elements before the update. */
export interface Survey {
  /** Numbers that are kept from step to step, as they are at first. */
  readonly start: readonly number[];
  readonly numbers: (facts: StepFacts, learnt: Float32Array) => Numbers;
  /** New slots, and `sum.<name>`: values that are added up over all elements. */
  readonly apply: (value: Values) => Record<string, Value>;
  /** Writes what the sums teach into `learnt`. */
  readonly learn: (sums: Numbers, facts: StepFacts, learnt: Float32Array) => void;
}

export interface AdamWOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/**
 * torch.optim.AdamW (Loshchilov & Hutter 2017) after torch.nn.utils.clip_grad_norm_: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g²,
 * p ← (1−ηλ)p − η·m̂/(√v̂ + ε). What is the same for all elements is multiplied out beforehand: the update is bound by the number
 * of passes over its arrays.
 */
export function adamW({ beta1, beta2, epsilon, weightDecay }: AdamWOptions): Transform {
  return {
    slots: { m: 'zero', v: 'zero' },
    numbers: ({ clip, learningRate, steps }) => {
      const rootOfCorrection = Math.sqrt(1 - beta2 ** steps);
      return {
        intoM: clip * (1 - beta1),
        intoV: clip * Math.sqrt(1 - beta2),
        keep: 1 - learningRate * weightDecay,
        rate: (learningRate * rootOfCorrection) / (1 - beta1 ** steps),
        epsilon: epsilon * rootOfCorrection,
      };
    },
    apply: (value) => {
      const gradient = value('gradient');
      const m = add(mul(value('m'), beta1), mul(gradient, value('intoM')));
      const v = add(mul(value('v'), beta2), square(mul(gradient, value('intoV'))));
      const step = div(mul(m, value('rate')), add(sqrt(v), value('epsilon')));
      return { m, v, parameter: sub(mul(value('parameter'), value('keep')), step) };
    },
  };
}
