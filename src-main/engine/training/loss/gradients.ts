import { backward } from '../../autodiff/backward.ts';
import { blocks, cheap, cheapOrWide, recompute, type Recomputable } from '../../autodiff/recompute.ts';
import { input, mul } from '../../graph/build.ts';
import { leaves, topological, type Graph } from '../../graph/graph.ts';
import { mixedPrecision } from '../../graph/mixedPrecision.ts';
import type { Value } from '../../graph/ops.ts';
import { FlatParameters } from '../../optim/flatParameters.ts';
import { accumulator } from '../../optim/optimizer.ts';
import type { HalfType, Precision } from '../../../../src-shared/domain/precision.ts';
import type { Provider, ProviderChoice } from '../../../../src-shared/domain/providers.ts';
import { formOn, Session, type CompileOptions, type Form } from '../../runtime/session.ts';
import { Tensor } from '../../runtime/tensor.ts';
import { bytesPerElement, elementCount, type HostTensor } from '../../tensor/tensor.ts';

export interface LossOptions {
  /** A scalar. */
  readonly loss: Value;
  /** Other scalars worth watching. */
  readonly metrics?: Readonly<Record<string, Value>>;
  /** Names of the trained parameters. */
  readonly trained: readonly string[];
  /** The values that pass between the network's resnets and transformers: all that is kept for the backward pass where memory is short. */
  readonly between?: readonly Value[];
  /** The same loss taken a row at a time, where a batch has several: the last resort where memory is short. */
  readonly byRow?: () => RowLoss;
  /** Memory is short: what is `between` those values is recomputed. A step takes about a third longer. */
  readonly frugal?: boolean;
  /** Memory is so short that rows are taken one at a time: feed-forward layers are recomputed too, for a sixteenth more arithmetic. */
  readonly tight?: boolean;
  /** What products, activations and frozen weights are computed in; f32 when left out. */
  readonly precision?: Precision;
  /** What they are really computed in: `precision` where the provider can, when left out. A loss in f16 is scaled in any case. */
  readonly computes?: Precision;
  /** What frozen weights are kept in on a device, where that is not what it computes in; goes with `computes`. */
  readonly storedIn?: HalfType;
  /** It is a difference of results that may come very near to each other: see `formOn`. */
  readonly exact?: boolean;
  /** Frozen ones. */
  readonly weights: NonNullable<CompileOptions['weights']>;
  readonly provider?: ProviderChoice;
  readonly threads?: number;
  /** Where the session writes what each operation takes; see `CompileOptions`. */
  readonly profileTo?: string;
  /** A graph that computes further inputs of the loss, with its stored weights: it lies on the device too. */
  readonly beside?: { readonly graph: Graph; readonly weights: NonNullable<CompileOptions['weights']> };
  /** Prepares what computes them from a batch's own, in the form of the loss. */
  readonly preparation?: (on: {
    readonly provider: Provider;
    readonly form: Form;
    readonly idleBytes: number;
  }) => Promise<Preparation>;
}

/** A loss of single rows whose mean over a batch's rows is the loss of the batch, and so are its metrics and gradients. */
export interface RowLoss {
  readonly options: LossOptions;
  readonly rows: (batch: Feeds) => readonly Feeds[];
}

type Tensors = Readonly<Record<string, Tensor>>;

/** The graph of a training step: the loss and its metrics, and `gradient.<name>` of every trained parameter. */
export function stepGraph(options: StepOptions): Graph {
  const { metrics = {}, trained, frugal = false, tight = false, precision = 'f32' } = options;
  const { computes = precision } = options;
  const isTrained = new Set(trained);
  const whole = { outputs: { ...metrics, loss: options.loss } };
  const mixed =
    computes === 'f32' ? undefined : mixedPrecision(whole, computes, (name) => isTrained.has(name));
  const graph = mixed ?? whole;
  const { loss } = graph.outputs;
  const ends = options.between?.map((value) => mixed?.now(value) ?? value);
  return withGradients(graph, loss, {
    trained: parametersOf(loss, trained),
    byBlock: frugal && ends ? blocks(ends) : undefined,
    tight,
    // Gradients are multiplied by this, so that few are too small for 16 bits.
    scale: precision === 'f16' ? input(lossScaleInput, []) : undefined,
  });
}

/** What a step is computed in on a provider: f32 where it can't in what was asked. */
export async function formOf(
  choice: ProviderChoice,
  { precision = 'f32', computes, storedIn, exact = false }: LossOptions,
): Promise<Form> {
  return computes ? { computes, ...(storedIn && { storedIn }) } : formOn(choice, precision, exact);
}

/** What the graph of a step is made of. */
export type StepOptions = Pick<
  LossOptions,
  'loss' | 'metrics' | 'trained' | 'between' | 'frugal' | 'tight' | 'precision' | 'computes'
>;

/** For a step in f16: the factor its gradients are multiplied by. */
export const lossScaleInput = 'loss_scale';

/** Computes more inputs from a batch's. */
export interface Preparation {
  /** `idle`: memory that may be overwritten; gradients will be written there later. */
  prepare(given: Tensors, idle: Float32Array): Promise<Tensors>;
  dispose(): Promise<void>;
}

/** A batch's inputs. */
export type Feeds = Readonly<Record<string, HostTensor>>;

/** "loss", and the metrics by their names. */
export type Losses = Readonly<Record<string, number>>;

/** Where gradients come from: a session of this process, or a team. */
export interface GradientSource {
  readonly layout: FlatParameters;
  /** Writes the mean gradient of `batches` at `values` to `into` (both in the layout). Returns the mean losses. */
  compute(batches: readonly Feeds[], values: Float32Array, into: Float32Array): Promise<Losses>;
  /** Releases a device until the next batch, for others. */
  rest?(): Promise<void>;
  dispose(): Promise<void>;
}

/** Where each trained parameter of a loss lies in a flat array. */
export function layoutOf({ loss, trained }: Pick<LossOptions, 'loss' | 'trained'>): FlatParameters {
  const shapes = parametersOf(loss, trained);
  return new FlatParameters([...shapes].map(([name, { shape }]) => [name, shape] as const));
}

function parametersOf(loss: Value, trained: readonly string[]): Map<string, Value> {
  const parameters = leaves({ outputs: { loss } }, 'parameter');
  return new Map(
    trained.map((name) => {
      const value = parameters.get(name);
      if (!value) throw new Error(`the loss has no parameter ${name}`);
      return [name, value];
    }),
  );
}

/** A loss with its backward pass in one session. Frozen weights get no gradient and stay in their file. */
export class LocalGradients implements GradientSource {
  private readonly views = new WeakMap<Float32Array, Map<string, Tensors>>();
  private sum: Accumulating | undefined;

  private constructor(
    private readonly session: Session,
    readonly layout: FlatParameters,
    private readonly names: readonly string[],
    private readonly preparation: Preparation | undefined,
  ) {}

  static async create(options: LossOptions): Promise<LocalGradients> {
    const { metrics = {}, weights, preparation, provider = 'cpu' } = options;
    const trained = new Set(options.trained);
    const layout = layoutOf(options);
    const form = await formOf(provider, options);
    const session = await Session.compile(stepGraph({ ...options, ...form }), {
      provider,
      writesInto: true,
      ...(options.threads && { threads: options.threads }),
      ...(options.profileTo && { profileTo: options.profileTo }),
      ...(form.storedIn && { storedIn: form.storedIn }),
      weights: (name) => (trained.has(name) ? undefined : weights(name)),
    });
    const on = { provider: session.provider, form, idleBytes: 4 * layout.length };
    const prepared = await preparation?.(on);
    return new LocalGradients(session, layout, ['loss', ...Object.keys(metrics)], prepared);
  }

  compute(batches: readonly Feeds[], values: Float32Array, into: Float32Array): Promise<Losses> {
    return meanGradient(
      (batch, place) => this.one(batch, values, place),
      batches,
      into,
      () => this.accumulating(),
    );
  }

  /** The gradient of one batch. */
  async one(batch: Feeds, values: Float32Array, into: Float32Array): Promise<Losses> {
    const given = Object.fromEntries(
      Object.entries(batch).map(([name, tensor]) => [name, Tensor.from(tensor)]),
    );
    const more = await this.preparation?.prepare(given, into);
    const feeds = { ...given, ...more, ...this.viewsOf(values, '') };
    const results = await this.session.run(feeds, this.viewsOf(into, 'gradient.'));
    return Object.fromEntries(
      this.names.map((name) => [name, (results[name] as Tensor).host.data[0] as number]),
    );
  }

  /** See `Session.endProfile`. */
  endProfile(): void {
    this.session.endProfile();
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
    await this.preparation?.dispose();
  }

  private accumulating(): Accumulating {
    return (this.sum ??= { array: this.layout.allocate(), add: accumulator() });
  }

  private viewsOf(array: Float32Array, prefix: string): Tensors {
    const known = this.views.get(array) ?? new Map<string, Tensors>();
    this.views.set(array, known);
    const made = known.get(prefix) ?? tensorsIn(this.layout, array, prefix);
    known.set(prefix, made);
    return made;
  }
}

/** Memory for the gradient of a batch beside that of those before it. */
export interface Accumulating {
  readonly array: Float32Array;
  readonly add: ReturnType<typeof accumulator>;
}

/** Writes the mean of the gradients that `one` writes to `into`; `beside` is asked for from the second batch on. Returns the mean losses. */
export async function meanGradient(
  one: (batch: Feeds, place: Float32Array) => Promise<Losses>,
  batches: readonly Feeds[],
  into: Float32Array,
  beside: () => Accumulating,
): Promise<Losses> {
  const sums: Record<string, number> = {};
  for (const [index, batch] of batches.entries()) {
    const losses = await one(batch, index === 0 ? into : beside().array);
    if (index > 0) await beside().add(into, beside().array);
    for (const [name, value] of Object.entries(losses))
      sums[name] = (sums[name] ?? 0) + value / batches.length;
  }
  if (batches.length > 1) for (let i = 0; i < into.length; i++) (into[i] as number) /= batches.length;
  return sums;
}

/** The parameters in `array` as tensors on its memory, named with a prefix. */
export function tensorsIn(layout: FlatParameters, array: Float32Array, prefix = ''): Tensors {
  return Object.fromEntries(
    layout.names.map((name) => [`${prefix}${name}`, Tensor.from(layout.view(array, name))]),
  );
}

/** Bytes of forward values beyond which norms and activations are recomputed instead of kept. */
const keepAtMost = 1 << 30;

/** The graph with an output `gradient.<name>` for every trained parameter. */
function withGradients(
  graph: Graph,
  loss: Value,
  {
    trained,
    byBlock,
    tight,
    scale,
  }: {
    readonly trained: ReadonlyMap<string, Value>;
    readonly byBlock: Recomputable | undefined;
    readonly tight: boolean;
    readonly scale: Value | undefined;
  },
): Graph {
  const gradients = backward(scale ? mul(loss, scale) : loss, [...trained.values()]);
  const named = [...trained.keys()].map((name, i) => [`gradient.${name}`, gradients[i] as Value] as const);
  const outputs = { ...graph.outputs, ...Object.fromEntries(named) };
  const forwardBytes = topological([loss]).reduce(
    (sum, { shape, dtype }) => sum + bytesPerElement[dtype] * elementCount(shape),
    0,
  );
  const policy = byBlock ?? (forwardBytes > keepAtMost ? (tight ? cheapOrWide : cheap) : undefined);
  return { outputs: policy ? recompute(outputs, loss, policy) : outputs };
}
