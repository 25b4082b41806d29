import { add, div, mul, neg, relu, sqrt, square, sub } from '../graph/build.ts';
import type { AdamWOptions, StepFacts, Transform } from './transforms.ts';

export interface ProdigyOptions extends AdamWOptions {
  /** Scales the estimate of the step size. */
  readonly stepScale: number;
}

/** The first estimate of the step size. */
const d0 = 1e-6;

/** What is kept: the estimate d, the one that this step's update uses, the estimate's numerator, updates that counted. */
const place = { d: 0, used: 1, numerator: 2, counted: 3 } as const;

/**
 * Prodigy (Mishchenko & Defazio 2023, algorithm 4), which finds its step size itself; the learning rate is a factor on it, 1 as a rule.
 * As `prodigyopt.Prodigy` with decoupled weight decay, bias correction and `safeguard_warmup`, which are the settings of diffusers'
 * DreamBooth scripts. Steps at rate 0 change nothing, there as here.
 */
export function prodigy({ beta1, beta2, epsilon, weightDecay, stepScale }: ProdigyOptions): Transform {
  const beta3 = Math.sqrt(beta2);
  const at = (learnt: Float32Array, name: keyof typeof place): number => learnt[place[name]] as number;
  /** The size of this step: d·η with Adam's bias correction. */
  const sizeOf = ({ learningRate }: StepFacts, d: number, counted: number): number =>
    (d * learningRate * Math.sqrt(1 - beta2 ** counted)) / (1 - beta1 ** counted);
  return {
    slots: { m: 'zero', v: 'zero', s: 'zero', start: 'parameter' },
    survey: {
      start: [d0, d0, 0, 0],
      numbers: ({ clip, learningRate }, learnt) => {
        const d = at(learnt, 'd');
        const isStill = learningRate === 0;
        return {
          clip,
          ...(isStill
            ? { keepM: 1, keepV: 1, keepS: 1, intoM: 0, intoV: 0, intoS: 0 }
            : {
                ...{ keepM: beta1, keepV: beta2, keepS: beta3 },
                ...{ intoM: d * (1 - beta1), intoV: d * Math.sqrt(1 - beta2), intoS: (d / d0) * d },
              }),
        };
      },
      apply: (value) => {
        const gradient = mul(value('gradient'), value('clip'));
        const s = add(mul(value('s'), value('keepS')), mul(gradient, value('intoS')));
        return {
          m: add(mul(value('m'), value('keepM')), mul(gradient, value('intoM'))),
          v: add(mul(value('v'), value('keepV')), square(mul(gradient, value('intoV')))),
          s,
          'sum.way': mul(gradient, sub(value('start'), value('parameter'))),
          'sum.gradients': add(relu(s), relu(neg(s))),
        };
      },
      learn: ({ way = 0, gradients = 0 }, facts, learnt) => {
        const d = at(learnt, 'd');
        learnt[place.used] = d;
        if (facts.learningRate === 0 || gradients === 0) return;
        const counted = at(learnt, 'counted') + 1;
        const numerator = beta3 * at(learnt, 'numerator') + (d / d0) * sizeOf(facts, d, counted) * way;
        learnt[place.d] = Math.max(d, (stepScale * numerator) / gradients);
        learnt[place.numerator] = numerator;
        learnt[place.counted] = counted;
      },
    },
    numbers: (facts, learnt) => {
      const counted = at(learnt, 'counted');
      const size = counted === 0 ? 0 : sizeOf(facts, at(learnt, 'used'), counted);
      return { keep: 1 - size * weightDecay, rate: size, epsilon: at(learnt, 'd') * epsilon };
    },
    apply: (value) => {
      const step = div(mul(value('m'), value('rate')), add(sqrt(value('v')), value('epsilon')));
      return { parameter: sub(mul(value('parameter'), value('keep')), step) };
    },
  };
}
