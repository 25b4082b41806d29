import type { FlatParameters } from '../../optim/flatParameters.ts';
import type { OptimizerSettings } from '../../../../src-shared/domain/loopSettings.ts';
import { Optimizer, type ParameterOptimizer, type StepSettings } from '../../optim/optimizer.ts';
import { adafactor } from '../../optim/adafactor.ts';
import { adamW8bit } from '../../optim/adamW8bit.ts';
import { PerTensorOptimizer } from '../../optim/perTensor.ts';
import { prodigy } from '../../optim/prodigy.ts';
import { adamW } from '../../optim/transforms.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import type { HostTensor } from '../../tensor/tensor.ts';
import {
  LocalGradients,
  tensorsIn,
  type Feeds,
  type GradientSource,
  type LossOptions,
} from '../loss/gradients.ts';

export interface TrainerOptions extends LossOptions {
  /** The values they start from; read one at a time. */
  readonly initial: (name: string) => HostTensor<'f32'>;
  readonly optimizer: OptimizerSettings;
  /** A factor on the learning rate of each parameter; 1 when left out. */
  readonly rateOf?: ((name: string) => number) | undefined;
  /** Where gradients come from; a session of this process when left out. */
  readonly source?: GradientSource | undefined;
}

export interface StepResult {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Global norm before clipping. */
  readonly gradientNorm: number;
}

/** Any loss, minimised: parameters, gradients and optimizer slots in flat arrays of host memory. */
export class Trainer {
  readonly values: Float32Array;
  readonly layout: FlatParameters;
  private readonly gradients: Float32Array;
  /** The trained parameters as they are now, to be fed to other graphs too. */
  readonly parameters: Readonly<Record<string, Tensor>>;

  private constructor(
    private readonly source: GradientSource,
    readonly optimizer: ParameterOptimizer,
    values: Float32Array,
  ) {
    this.values = values;
    this.layout = source.layout;
    this.gradients = source.layout.allocate();
    this.parameters = tensorsIn(source.layout, values);
  }

  static async create(options: TrainerOptions): Promise<Trainer> {
    const source = options.source ?? (await LocalGradients.create(options));
    const values = source.layout.allocate();
    for (const name of source.layout.names)
      source.layout.view(values, name).data.set(options.initial(name).data);
    const optimizer = optimizerOf(options, source.layout, values);
    return new Trainer(source, optimizer, values);
  }

  /** One update from the mean gradient of `batches` (more than one: accumulation). */
  async step(batches: readonly Feeds[], settings: StepSettings): Promise<StepResult> {
    const { loss = NaN, ...metrics } = await this.source.compute(batches, this.values, this.gradients);
    const gradientNorm = await this.optimizer.step(this.gradients, settings);
    return { loss, metrics, gradientNorm };
  }

  /** The mean loss and metrics of `batches` as the parameters are now; nothing is learnt. */
  async measure(batches: readonly Feeds[]): Promise<Readonly<Record<string, number>>> {
    return this.source.compute(batches, this.values, this.gradients);
  }

  /** The present value of a trained parameter: a view that the next step changes. */
  value(name: string): HostTensor<'f32'> {
    return this.layout.view(this.values, name);
  }

  async dispose(): Promise<void> {
    await this.source.dispose();
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
