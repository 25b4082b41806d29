import type { Provider } from '../../../../src-shared/domain/providers.ts';
import type { OptimizerSettings } from '../../../../src-shared/domain/loopSettings.ts';
import type { FlatParameters } from '../../optim/flatParameters.ts';
import { Optimizer, type ParameterOptimizer, type StepSettings } from '../../optim/optimizer.ts';
import { adafactor } from '../../optim/adafactor.ts';
import { adamW8bit } from '../../optim/adamW8bit.ts';
import { PerTensorOptimizer } from '../../optim/perTensor.ts';
import { prodigy } from '../../optim/prodigy.ts';
import { adamW } from '../../optim/transforms.ts';
import { isDeviceFailure, isOutOfMemory, tellByBlock, tellFallBack } from '../../runtime/deviceErrors.ts';
import { providerFor } from '../../runtime/session.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import type { HostTensor } from '../../tensor/tensor.ts';
import {
  layoutOf,
  LocalGradients,
  tensorsIn,
  type Feeds,
  type GradientSource,
  type Losses,
  type LossOptions,
} from '../loss/gradients.ts';
import { LossScale } from '../loss/lossScale.ts';
import { deviceFit, tightest, type DeviceFit } from './deviceFit.ts';
import { DeviceSteps } from './deviceSteps.ts';
import { HostSteps } from './hostSteps.ts';
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
 * A device failed, and the steps continue in another way (keeping fewer values, or on the CPU). What was learnt after `step`, when
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
    private readonly ladder: Rung[] = [],
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
    const onHost = async (from: LossOptions = options): Promise<Steps> =>
      new HostSteps(source ?? (await LocalGradients.create(from)), values, optimizer);
    // Optimizers that look at a tensor as a whole work on the CPU.
    const mayStay = !source && optimizer instanceof Optimizer && (await providerFor(choice)) === 'webgpu';
    if (!mayStay) return new Trainer(layout, values, optimizer, await onHost(), scale);
    const onDevice = (fit: DeviceFit): Promise<Steps> =>
      DeviceSteps.create({ ...options, ...fit }, layout, optimizer);
    const found = await deviceFit(options);
    const fit = options.frugal ? { ...found, frugal: true } : found;
    const ladder: Rung[] = [
      ...(options.between ? [{ memoryOnly: true, tell: tellByBlock, make: () => onDevice(tightest) }] : []),
      ...(choice === 'auto'
        ? [{ tell: tellFallBack, make: () => onHost({ ...options, provider: 'cpu' }) }]
        : []),
    ];
    const rung = fit.frugal ? ladder.shift() : undefined;
    if (!options.frugal) rung?.tell('webgpu');
    const steps = await onDevice(fit).catch((error: unknown) => nextRung(ladder, error));
    return new Trainer(layout, values, optimizer, steps, scale, ladder);
  }

  /**
   * One update from the mean gradient of `batches` (more than one: accumulation). Errors: `provider.failed`, `provider.outOfMemory`;
   * `StepsLost` where a device failed and the next step is taken in another way.
   */
  async step(batches: readonly Feeds[], settings: StepSettings): Promise<StepResult> {
    try {
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
  sync(): Promise<void> {
    return this.steps.sync();
  }

  /** The present value of a trained parameter: a view that the next step (on a device: the next `sync`) changes. */
  value(name: string): HostTensor<'f32'> {
    return this.layout.view(this.values, name);
  }

  async dispose(): Promise<void> {
    await this.steps.dispose();
  }

  private async goOn(error: unknown): Promise<never> {
    if (!this.ladder.length || !isDeviceFailure(error)) throw error;
    await this.steps.dispose().catch(() => undefined);
    this.steps = await nextRung(this.ladder, error);
    throw new StepsLost(this.optimizer.steps);
  }
}

/** A way to take the same steps that asks less of a device. */
interface Rung {
  /** Helps only where memory was short. */
  readonly memoryOnly?: boolean;
  readonly tell: (provider: Provider, error?: unknown) => void;
  readonly make: () => Promise<Steps>;
}

/** Takes rungs off the ladder until one works, and tells of each; throws the error when none is left. */
async function nextRung(ladder: Rung[], error: unknown): Promise<Steps> {
  if (!isDeviceFailure(error)) throw error;
  const rung = ladder.shift();
  if (!rung) throw error;
  if (rung.memoryOnly && !isOutOfMemory(error)) return nextRung(ladder, error);
  rung.tell('webgpu', error);
  return rung.make().catch((next: unknown) => nextRung(ladder, next));
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
