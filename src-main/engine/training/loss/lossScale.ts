import { f32 } from '../../tensor/tensor.ts';
import { lossScaleInput, type Feeds } from './gradients.ts';

/** torch.amp.GradScaler's defaults: the first scale, and the steps between doublings. */
const start = 65536;
const growthInterval = 2000;
/** A smaller scale gains nothing: what still overflows is the network's fault. */
const least = 1;

/**
 * Dynamic loss scaling (Micikevicius et al. 2018, section 3.2): f16 gradients are multiplied by a power of two, the largest with
 * which nothing overflows. A step that overflows changes nothing and is repeated with half the scale; after 2,000 steps without
 * overflow the scale is doubled.
 */
export class LossScale {
  /** [scale, steps since it changed]: kept with a run, so that it resumes to the same bits. */
  readonly state = Float32Array.of(start, 0);

  get value(): number {
    return this.state[0] as number;
  }

  /** A batch with the scale as one more input. */
  with(batch: Feeds): Feeds {
    return { ...batch, [lossScaleInput]: f32([], [this.value]) };
  }

  /** Adapts to a step's gradient norm. Returns whether the step must be repeated. */
  overflowed(norm: number): boolean {
    const [value, steps] = [this.value, (this.state[1] as number) + 1];
    if (Number.isFinite(norm)) {
      this.state.set(steps >= growthInterval ? [2 * value, 0] : [value, steps]);
      return false;
    }
    if (value <= least) return false;
    this.state.set([value / 2, 0]);
    return true;
  }
}
