import type { OptimizerSettings } from '../../../../src-shared/domain/loopSettings.ts';
import type { FlatParameters } from '../../optim/flatParameters.ts';
import { Optimizer, type ParameterOptimizer, type StepSettings } from '../../optim/optimizer.ts';
import { adafactor } from '../../optim/adafactor.ts';
import { adamW8bit } from '../../optim/adamW8bit.ts';
import { PerTensorOptimizer } from '../../optim/perTensor.ts';
import { prodigy } from '../../optim/prodigy.ts';
import { adamW } from '../../optim/transforms.ts';
import { isDeviceFailure } from '../../runtime/deviceErrors.ts';
import { providerFor } from '../../runtime/session.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import type { HostTensor } from '../../tensor/tensor.ts';
import {
  formOf,
  layoutOf,
  LocalGradients,
  tensorsIn,
  type Feeds,
  type GradientSource,
  type Losses,
  type LossOptions,
} from '../loss/gradients.ts';
import { LossScale } from '../loss/lossScale.ts';
import { DeviceSteps } from './deviceSteps.ts';
import { HostSteps } from './hostSteps.ts';
import { Ladder } from './ladder.ts';
import type { StepResult, Steps } from './steps.ts';

export interface TrainerOptions extends LossOptions {
  /** The values they start from; read one at a time. */
  readonly initial: (name: string) => HostTensor<'f32'>;
  readonly optimizer: OptimizerSettings;
  /** A factor on the learning rate of each parameter; 1 when left out. */
  readonly rateOf?: ((name: string) => number) | undefined;
  /** Where gradients come from; a session of this process when left out. */
  readonly source?: GradientSource | undefined;
}

/**
 * A device failed, and the steps continue in another way (keeping fewer values, row by row, or on the CPU). What was learnt after `step`, when
 * the device was last read, must be learnt again.
 */
export class StepsLost extends Error {
  constructor(readonly step: number) {
    super(`the steps after ${step} are lost`);
  }
}

/**
 * Any loss, minimised: parameters and optimizer slots in flat arrays of host memory, or on a WebGPU device with these arrays as its
 * copies (`sync`).
 */
export class Trainer {
  private resting = false;
  /** The trained parameters as they were at the last `sync`, to be fed to other graphs too. */
  readonly parameters: Readonly<Record<string, Tensor>>;

  private constructor(
    readonly layout: FlatParameters,
    readonly values: Float32Array,
    readonly optimizer: ParameterOptimizer,
    private steps: Steps,
    /** In f16. */
    private readonly scale: LossScale | undefined,
    /** What is tried next when a device fails. */
    private readonly ladder?: Ladder,
    /** Where gradients come from, if not from a session of the steps'. */
    private readonly source?: GradientSource,
  ) {
    this.parameters = tensorsIn(layout, values);
  }

  static async create(options: TrainerOptions): Promise<Trainer> {
    const { source, provider: choice = 'cpu' } = options;
    const scale = options.precision === 'f16' ? new LossScale() : undefined;
    const layout = source?.layout ?? layoutOf(options);
    const values = layout.allocate();
    for (const name of layout.names) layout.view(values, name).data.set(options.initial(name).data);
    const optimizer = optimizerOf(options, layout, values);
    const provider = source ? 'cpu' : await providerFor(choice);
    const onHost = async (from: LossOptions): Promise<Steps> =>
      new HostSteps(source ?? (await LocalGradients.create(from)), values, optimizer);
    if (provider === 'cpu')
      return new Trainer(layout, values, optimizer, await onHost(options), scale, undefined, source);
    // Optimizers that look at a tensor as a whole work on the CPU.
    const stays = provider === 'webgpu' && optimizer instanceof Optimizer;
    const make = (from: LossOptions): Promise<Steps> =>
      stays ? DeviceSteps.create(from, layout, optimizer) : onHost({ ...from, provider });
    // In 16 bits the CPU would only be slower.
    const cpu = (): Promise<Steps> => onHost({ ...options, provider: 'cpu', computes: 'f32' });
    const form = await formOf(choice, options);
    const ladder = new Ladder(provider, { ...options, ...form }, make, choice === 'auto' ? cpu : undefined);
    return new Trainer(layout, values, optimizer, await ladder.begin(stays), scale, ladder);
  }

  /**
   * One update from the mean gradient of `batches` (more than one: accumulation). Errors: `provider.failed`, `provider.outOfMemory`;
   * `StepsLost` where a device failed and the next step is taken in another way.
   */
  async step(batches: readonly Feeds[], settings: StepSettings): Promise<StepResult> {
    try {
      await this.wake();
      return await this.scaledStep(batches, settings);
    } catch (error) {
      return this.goOn(error);
    }
  }

  private async scaledStep(batches: readonly Feeds[], settings: StepSettings): Promise<StepResult> {
    const { scale } = this;
    if (!scale) return this.steps.step(batches, settings);
    for (;;) {
      const lossScale = scale.value;
      const scaled = batches.map((batch) => scale.with(batch));
      const result = await this.steps.step(scaled, { ...settings, lossScale });
      // A loss that is no number is one whatever it is multiplied by.
      if (!Number.isFinite(result.loss) || !scale.overflowed(result.gradientNorm)) return result;
    }
  }

  /** All that an interrupted run needs besides the parameters, by name. */
  get state(): ParameterOptimizer['state'] {
    return { ...this.optimizer.state, ...(this.scale && { lossScale: this.scale.state }) };
  }

  /** The mean loss and metrics of `batches` as the parameters are now; nothing is learnt. Errors: as `step`. */
  async measure(batches: readonly Feeds[]): Promise<Losses> {
    try {
      const { scale } = this;
      await this.wake();
      return await this.steps.measure(scale ? batches.map((batch) => scale.with(batch)) : batches);
    } catch (error) {
      return this.goOn(error);
    }
  }

  /** average ← average + (1 − decay)·(parameters − average); `average`, the same array each time, is right after `sync`. */
  follow(average: Float32Array, decay: number): Promise<void> {
    return this.steps.follow(average, decay);
  }

  /** Reads parameters, slots and the average from the device. Call it before looking at them. */
  async sync(): Promise<void> {
    if (!this.resting) await this.steps.sync();
  }

  /**
   * After `sync`: releases a WebGPU device until the next step. ONNX Runtime frees the weights of a session there only when none is left, so
   * networks that come and go beside a training session would each time leave a copy of theirs.
   */
  async rest(): Promise<void> {
    await this.source?.rest?.();
    if (!this.ladder?.onWebGPU || this.resting) return;
    this.resting = true;
    await this.steps.dispose();
  }

  /** The present value of a trained parameter: a view that the next step (on a device: the next `sync`) changes. */
  value(name: string): HostTensor<'f32'> {
    return this.layout.view(this.values, name);
  }

  async dispose(): Promise<void> {
    if (!this.resting) await this.steps.dispose();
  }

  private async wake(): Promise<void> {
    if (!this.resting || !this.ladder) return;
    this.steps = await this.ladder.again();
    this.resting = false;
  }

  private async goOn(error: unknown): Promise<never> {
    if (!this.ladder || !isDeviceFailure(error)) throw error;
    if (!this.resting) await this.steps.dispose().catch(() => undefined);
    this.resting = true;
    this.steps = await this.ladder.next(error);
    this.resting = false;
    throw new StepsLost(this.optimizer.steps);
  }
}

function optimizerOf(
  { optimizer: settings, rateOf }: TrainerOptions,
  layout: FlatParameters,
  values: Float32Array,
): ParameterOptimizer {
  const parts = rateOf && layout.split(rateOf);
  switch (settings.optimizer) {
    case 'adamw':
      return new Optimizer(values, adamW(settings), { ...(parts && { parts }) });
    case 'prodigy':
      return new Optimizer(values, prodigy(settings));
    case 'adamw8bit':
      return new PerTensorOptimizer(values, layout, adamW8bit(settings), rateOf);
    case 'adafactor':
      return new PerTensorOptimizer(values, layout, adafactor(settings), rateOf);
  }
}
