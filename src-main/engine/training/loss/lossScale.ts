import { f32 } from '../../tensor/tensor.ts';
import { lossScaleInput, type Feeds } from './gradients.ts';

/** torch.amp.GradScaler's defaults: where it starts, how often it is doubled. */
const start = 65536;
const growthInterval = 2000;
/** Below it nothing is gained: what still overflows is no number's fault but the network's. */
const least = 1;

/**
 * Dynamic loss scaling (Micikevicius et al. 2018, section 3.2): what flows back in f16 is multiplied by a power of two, as large as
 * nothing overflows. A step that overflows changes nothing and is taken again with half of it; after 2,000 that do not, it is doubled.
 */
export class LossScale {
  /** [scale, steps since it changed]: kept with a run, so that it goes on to the same bits. */
  readonly state = Float32Array.of(start, 0);

  get value(): number {
    return this.state[0] as number;
  }

  /** A batch with the scale as one more input. */
  with(batch: Feeds): Feeds {
    return { ...batch, [lossScaleInput]: f32([], [this.value]) };
  }

  /** Learns from a step's gradient norm; whether the step is to be taken again. */
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
