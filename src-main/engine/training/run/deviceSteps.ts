import { DeviceOptimizer } from '../../optim/deviceOptimizer.ts';
import type { FlatParameters } from '../../optim/flatParameters.ts';
import { clipOf, type Optimizer, type StepSettings } from '../../optim/optimizer.ts';
import { packsOf } from '../../optim/packs.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { DeviceGradients } from '../loss/deviceGradients.ts';
import type { Feeds, LossOptions, Losses } from '../loss/gradients.ts';
import type { StepResult, Steps } from './steps.ts';

type Buffers = Tensor[];

/**
 * Steps on a WebGPU device, of which only losses and the gradients' norm come back: parameters, gradients and slots stay there.
 * `host` has their values of the last `sync`, or of the start.
 */
export class DeviceSteps implements Steps {
  /** Uploaded with the first step: until then a run may restore its state. */
  private arrays: { parameter: Buffers; gradient: Buffers; slots: Record<string, Buffers> } | undefined;
  private average: { readonly host: Float32Array; readonly buffers: Buffers } | undefined;
  /** Gradients of batches after the first, where there are more than one. */
  private more: Buffers | undefined;
  private steps = 0;
  /** The optimizer's `learnt` on the device; the optimizer's own stays as at the last `sync`. */
  private learnt: Float32Array;

  private constructor(
    private readonly gradients: DeviceGradients,
    private readonly device: DeviceOptimizer,
    private readonly host: Optimizer,
  ) {
    this.learnt = host.learnt.slice();
  }

  /** Errors: those of `Session.compile` for a provider that was named. */
  static async create(options: LossOptions, layout: FlatParameters, host: Optimizer): Promise<DeviceSteps> {
    const packs = packsOf(layout, host.parts);
    const gradients = await DeviceGradients.create(options, layout, packs);
    return new DeviceSteps(gradients, new DeviceOptimizer(packs, host.transform), host);
  }

  async step(
    batches: readonly Feeds[],
    { learningRate, maxGradientNorm, lossScale }: StepSettings,
  ): Promise<StepResult> {
    const { losses, squares } = await this.mean(batches);
    const { loss = NaN, ...metrics } = losses;
    const scale = lossScale ?? 1;
    const gradientNorm = Math.sqrt(squares) / scale;
    if (lossScale !== undefined && !Number.isFinite(gradientNorm)) return { loss, metrics, gradientNorm };
    const { parameter, gradient, slots } = await this.uploaded();
    this.steps++;
    // The factor that clips divides by the scale too.
    const clip = clipOf(gradientNorm, maxGradientNorm) / scale;
    const facts = { clip, learningRate, steps: this.steps };
    await this.device.update({ parameter, gradient, ...slots }, facts, this.learnt);
    return { loss, metrics, gradientNorm };
  }

  async measure(batches: readonly Feeds[]): Promise<Losses> {
    return (await this.mean(batches)).losses;
  }

  async follow(average: Float32Array, decay: number): Promise<void> {
    const { parameter } = await this.uploaded();
    this.average ??= { host: average, buffers: await this.device.buffers(average) };
    await this.device.mix(this.average.buffers, parameter, { keep: decay, share: 1 - decay });
  }

  async sync(): Promise<void> {
    if (!this.arrays) return;
    await this.device.download(this.arrays.parameter, this.host.parameters);
    for (const [name, buffers] of Object.entries(this.arrays.slots))
      await this.device.download(buffers, this.host.slots[name] as Float32Array);
    if (this.average) await this.device.download(this.average.buffers, this.average.host);
    this.host.learnt.set(this.learnt);
    this.host.steps = this.steps;
  }

  async dispose(): Promise<void> {
    const { parameter = [], gradient = [], slots = {} } = this.arrays ?? {};
    const kept = [parameter, gradient, ...Object.values(slots), this.more ?? [], this.average?.buffers ?? []];
    for (const tensor of kept.flat()) tensor.dispose();
    await this.device.dispose();
    await this.gradients.dispose();
  }

  /** The mean gradient of some batches, left on the device. */
  private async mean(
    batches: readonly Feeds[],
  ): Promise<{ readonly losses: Losses; readonly squares: number }> {
    const { parameter, gradient } = await this.uploaded();
    const share = 1 / batches.length;
    const losses: Record<string, number> = {};
    let squares = NaN;
    for (const [index, batch] of batches.entries()) {
      if (index > 0) this.more ??= await this.device.buffers();
      const into = index > 0 ? (this.more as Buffers) : gradient;
      const found = await this.gradients.one(batch, parameter, into);
      const scale = index === batches.length - 1 ? share : 1;
      if (index > 0) await this.device.mix(gradient, into, { keep: scale, share: scale });
      for (const [name, value] of Object.entries(found.losses))
        losses[name] = (losses[name] ?? 0) + value * share;
      squares = found.squares;
    }
    return { losses, squares: batches.length > 1 ? await this.device.squares(gradient) : squares };
  }

  private async uploaded(): Promise<NonNullable<DeviceSteps['arrays']>> {
    if (this.arrays) return this.arrays;
    const { host, device } = this;
    const slots: Record<string, Buffers> = {};
    for (const [name, array] of Object.entries(host.slots)) slots[name] = await device.buffers(array);
    this.steps = host.steps;
    this.learnt = host.learnt.slice();
    return (this.arrays = {
      ...{ parameter: await device.buffers(host.parameters), gradient: await device.buffers(), slots },
    });
  }
}
