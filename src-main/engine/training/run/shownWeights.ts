import type { Tensor } from '../../runtime/tensor.ts';
import type { HostTensor } from '../../tensor/tensor.ts';
import { tensorsIn } from '../loss/gradients.ts';
import type { Loop } from './loop.ts';
import type { Trainer } from './trainer.ts';

/** The weights that checkpoints hold and samples are drawn with. */
export interface ShownWeights {
  /** A view that the next step changes. */
  readonly value: (name: string) => HostTensor<'f32'>;
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** What the training loop must do for them. */
  readonly upkeep: Pick<Loop, 'arrays' | 'onStep'>;
}

/** The trained weights, or with a `decay` their exponential moving average. */
export function shownWeights(trainer: Trainer, decay: number | null): ShownWeights {
  if (decay === null)
    return { value: (name) => trainer.value(name), tensors: trainer.parameters, upkeep: {} };
  const average = trainer.values.slice();
  return {
    value: (name) => trainer.layout.view(average, name),
    tensors: tensorsIn(trainer.layout, average),
    upkeep: {
      arrays: { average },
      onStep: (step) => trainer.follow(average, emaDecay(step, decay)),
    },
  };
}

/** diffusers' `EMAModel` without warm-up: after update 1 the average is the weights themselves, then (1+n)/(10+n), at most `decay`. */
function emaDecay(step: number, decay: number): number {
  const done = step - 1;
  return done <= 0 ? 0 : Math.min((1 + done) / (10 + done), decay);
}
