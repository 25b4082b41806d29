import { setImmediate } from 'node:timers/promises';
import type { Shape } from '../tensor/tensor.ts';
import type { FlatParameters } from './flatParameters.ts';
import { clipOf, squaredNorm, type ParameterOptimizer, type StepSettings } from './optimizer.ts';
import type { StepFacts } from './transforms.ts';

/** An array that is kept from step to step. */
export type Kept = Float32Array | Uint8Array;

interface Slot {
  readonly dtype: 'f32' | 'u8';
  readonly length: number;
}

/** How one tensor changes, where an elementwise graph can't say it. */
export interface TensorRule {
  /** What is kept for a parameter of this shape, at first zero. */
  readonly slots: (shape: Shape) => Readonly<Record<string, Slot>>;
  /** Changes a parameter and what is kept for it, in place. */
  readonly update: (
    parameter: Float32Array,
    gradient: Float32Array,
    kept: Readonly<Record<string, Kept>>,
    shape: Shape,
    facts: StepFacts,
  ) => void;
}

/** Updates flat parameters in place, one tensor after the other. */
export class PerTensorOptimizer implements ParameterOptimizer {
  steps = 0;
  readonly state: Readonly<Record<string, Kept>>;
  private readonly norm: (gradients: Float32Array) => Promise<number>;
  private readonly ofTensor: ReadonlyMap<string, Readonly<Record<string, Kept>>>;

  constructor(
    private readonly parameters: Float32Array,
    private readonly layout: FlatParameters,
    private readonly rule: TensorRule,
    private readonly rateOf: (name: string) => number = () => 1,
  ) {
    this.norm = squaredNorm();
    const places = layout.names.map((name) => ({ name, slots: rule.slots(layout.shape(name)) }));
    const lengths = new Map<string, Slot>();
    for (const { slots } of places)
      for (const [slot, { dtype, length }] of Object.entries(slots))
        lengths.set(slot, { dtype, length: (lengths.get(slot)?.length ?? 0) + length });
    this.state = Object.fromEntries(
      [...lengths].map(([slot, { dtype, length }]) => [
        slot,
        dtype === 'u8' ? new Uint8Array(length) : new Float32Array(length),
      ]),
    );
    const taken = new Map<string, number>();
    const next = (slot: string, length: number): Kept => {
      const start = taken.get(slot) ?? 0;
      taken.set(slot, start + length);
      return (this.state[slot] as Kept).subarray(start, start + length);
    };
    this.ofTensor = new Map(
      places.map(({ name, slots }) => [
        name,
        Object.fromEntries(Object.entries(slots).map(([slot, { length }]) => [slot, next(slot, length)])),
      ]),
    );
  }

  async step(gradients: Float32Array, { learningRate, maxGradientNorm }: StepSettings): Promise<number> {
    const norm = Math.sqrt(await this.norm(gradients));
    this.steps++;
    const clip = clipOf(norm, maxGradientNorm);
    for (const [name, kept] of this.ofTensor) {
      const parameter = this.layout.view(this.parameters, name).data;
      const gradient = this.layout.view(gradients, name).data;
      const facts = { clip, learningRate: learningRate * this.rateOf(name), steps: this.steps };
      this.rule.update(parameter, gradient, kept, this.layout.shape(name), facts);
      // Lets the event loop turn, so that a signal can arrive.
      await setImmediate();
    }
    return norm;
  }
}
