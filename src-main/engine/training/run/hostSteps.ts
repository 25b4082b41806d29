import { movingAverage, type ParameterOptimizer, type StepSettings } from '../../optim/optimizer.ts';
import type { Feeds, GradientSource, Losses } from '../loss/gradients.ts';
import type { StepResult, Steps } from './steps.ts';

/** Steps over flat arrays in this program's memory: gradients from any source, the optimizer on the CPU. */
export class HostSteps implements Steps {
  private readonly gradients: Float32Array;
  private average: ReturnType<typeof movingAverage> | undefined;

  constructor(
    private readonly source: GradientSource,
    private readonly values: Float32Array,
    private readonly optimizer: ParameterOptimizer,
  ) {
    this.gradients = source.layout.allocate();
  }

  async step(batches: readonly Feeds[], settings: StepSettings): Promise<StepResult> {
    const { loss = NaN, ...metrics } = await this.measure(batches);
    const { lossScale } = settings;
    if (lossScale !== undefined && !unscaled(this.gradients, lossScale))
      return { loss, metrics, gradientNorm: Infinity };
    const gradientNorm = await this.optimizer.step(this.gradients, settings);
    return { loss, metrics, gradientNorm };
  }

  measure(batches: readonly Feeds[]): Promise<Losses> {
    return this.source.compute(batches, this.values, this.gradients);
  }

  follow(average: Float32Array, decay: number): Promise<void> {
    this.average ??= movingAverage();
    return this.average(average, this.values, decay);
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  dispose(): Promise<void> {
    return this.source.dispose();
  }
}

/** Divides gradients by the loss scale, in place. Whether they are numbers. */
function unscaled(gradients: Float32Array, scale: number): boolean {
  let sum = 0;
  for (let i = 0; i < gradients.length; i++) sum += gradients[i] = (gradients[i] as number) / scale;
  return Number.isFinite(sum);
}
