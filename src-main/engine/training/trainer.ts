import { backward } from '../autodiff/backward.ts';
import { cheap, recompute } from '../autodiff/recompute.ts';
import { leaves, topological, type Graph } from '../graph/graph.ts';
import type { Value } from '../graph/ops.ts';
import { FlatParameters } from '../optim/flatParameters.ts';
import { accumulator, Optimizer, type StepSettings } from '../optim/optimizer.ts';
import { adamW, type AdamWOptions } from '../optim/transforms.ts';
import type { ProviderChoice } from '../runtime/providers.ts';
import { Session, type CompileOptions } from '../runtime/session.ts';
import { Tensor } from '../runtime/tensor.ts';
import { elementCount, type HostTensor } from '../tensor/tensor.ts';

export interface TrainerOptions {
  /** A scalar. */
  readonly loss: Value;
  /** Other scalars worth watching. */
  readonly metrics?: Readonly<Record<string, Value>>;
  /** Names of the trained parameters. */
  readonly trained: readonly string[];
  /** The values they start from; read one at a time. */
  readonly initial: (name: string) => HostTensor<'f32'>;
  /** Frozen ones. */
  readonly weights: NonNullable<CompileOptions['weights']>;
  readonly optimizer: AdamWOptions;
  readonly provider?: ProviderChoice;
  readonly threads?: number;
}

export interface StepResult {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Global norm before clipping. */
  readonly gradientNorm: number;
}

/**
 * Any loss, minimised: its graph with the backward pass in one session, parameters, gradients and optimizer slots in
 * flat arrays of host memory. Frozen weights get no gradient and stay in their file.
 */
export class Trainer {
  readonly values: Float32Array;
  private readonly gradients: Float32Array;
  /** The trained parameters as they are now, to be fed to other graphs too. */
  readonly parameters: Readonly<Record<string, Tensor>>;
  private readonly gradientViews: Record<string, Tensor>;
  private scratch:
    { array: Float32Array; views: Record<string, Tensor>; add: ReturnType<typeof accumulator> } | undefined;

  private constructor(
    private readonly session: Session,
    readonly layout: FlatParameters,
    readonly optimizer: Optimizer,
    values: Float32Array,
    private readonly metricNames: readonly string[],
  ) {
    this.values = values;
    this.gradients = layout.allocate();
    this.parameters = this.views(values, '');
    this.gradientViews = this.views(this.gradients, 'gradient.');
  }

  static async create(options: TrainerOptions): Promise<Trainer> {
    const { loss, metrics = {}, weights } = options;
    const graph: Graph = { outputs: { ...metrics, loss } };
    const parameters = leaves(graph, 'parameter');
    const trained = new Map(options.trained.map((name) => [name, known(parameters, name)]));
    const layout = new FlatParameters([...trained].map(([name, { shape }]) => [name, shape] as const));
    const values = layout.allocate();
    for (const name of trained.keys()) layout.view(values, name).data.set(options.initial(name).data);
    const session = await Session.compile(withGradients(graph, loss, trained), {
      provider: options.provider ?? 'cpu',
      ...(options.threads && { threads: options.threads }),
      weights: (name) => (trained.has(name) ? undefined : weights(name)),
    });
    const optimizer = new Optimizer(values, adamW(options.optimizer), options.optimizer);
    return new Trainer(session, layout, optimizer, values, Object.keys(metrics));
  }

  /** One update from the mean gradient of `batches` (more than one: accumulation). */
  async step(
    batches: readonly Readonly<Record<string, HostTensor>>[],
    settings: StepSettings,
  ): Promise<StepResult> {
    const sums = new Map<string, number>();
    for (const [index, batch] of batches.entries()) {
      const into = index === 0 ? this.gradientViews : this.accumulating().views;
      const given = Object.fromEntries(
        Object.entries(batch).map(([name, tensor]) => [name, Tensor.from(tensor)]),
      );
      const results = await this.session.run({ ...given, ...this.parameters }, into);
      if (index > 0) await this.accumulating().add(this.gradients, this.accumulating().array);
      for (const name of ['loss', ...this.metricNames]) {
        sums.set(
          name,
          (sums.get(name) ?? 0) + ((results[name] as Tensor).host.data[0] as number) / batches.length,
        );
      }
    }
    if (batches.length > 1)
      for (let i = 0; i < this.gradients.length; i++) (this.gradients[i] as number) /= batches.length;
    const gradientNorm = await this.optimizer.step(this.gradients, settings);
    const { loss = NaN, ...metrics } = Object.fromEntries(sums);
    return { loss, metrics, gradientNorm };
  }

  /** The present value of a trained parameter: a view that the next step changes. */
  value(name: string): HostTensor<'f32'> {
    return this.layout.view(this.values, name);
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }

  private accumulating(): NonNullable<Trainer['scratch']> {
    if (!this.scratch) {
      const array = this.layout.allocate();
      this.scratch = { array, views: this.views(array, 'gradient.'), add: accumulator(array.length) };
    }
    return this.scratch;
  }

  private views(array: Float32Array, prefix: string): Record<string, Tensor> {
    return Object.fromEntries(
      this.layout.names.map((name) => [`${prefix}${name}`, Tensor.from(this.layout.view(array, name))]),
    );
  }
}

function known(parameters: ReadonlyMap<string, Value>, name: string): Value {
  const value = parameters.get(name);
  if (!value) throw new Error(`the loss has no parameter ${name}`);
  return value;
}

/** Bytes of forward values from which on norms and activations are computed again instead of being kept. */
const keepAtMost = 1 << 30;

/** The graph with an output `gradient.<name>` for every trained parameter. */
function withGradients(graph: Graph, loss: Value, trained: ReadonlyMap<string, Value>): Graph {
  const gradients = backward(loss, [...trained.values()]);
  const named = [...trained.keys()].map((name, i) => [`gradient.${name}`, gradients[i] as Value] as const);
  const outputs = { ...graph.outputs, ...Object.fromEntries(named) };
  const forwardBytes = topological([loss]).reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
  return { outputs: forwardBytes > keepAtMost ? recompute(outputs, loss, cheap) : outputs };
}
