import { InferenceSession } from './onnxRuntime.ts';
import { input } from '../graph/build.ts';
import { leaves, type Graph } from '../graph/graph.ts';
import { verify } from '../graph/verify.ts';
import { onnxModel } from '../onnx/model.ts';
import { f32, type FileTensor, type HostTensor, type Shape } from '../tensor/tensor.ts';
import type { Provider, ProviderChoice } from '../../../src-shared/domain/providers.ts';
import { plausibleProviders, providerMissing } from './providers.ts';
import { Tensor } from './tensor.ts';
import { WeightFiles } from './weightFiles.ts';

export interface CompileOptions {
  readonly provider?: ProviderChoice;
  /** The stored weight of a parameter; one without must be fed at every run. */
  readonly weights?: (name: string) => FileTensor | HostTensor | undefined;
  /** Leave outputs on the device, to be fed to another run. */
  readonly keepOnDevice?: boolean;
  readonly threads?: number;
  /** Every run on CPU is given memory for all large outputs (`into`); the others are f32. */
  readonly writesInto?: boolean;
  /** Many runs of milliseconds, one after the other: threads wait for the next operation awake, until the run ends. */
  readonly shortRuns?: boolean;
  /** Memory of intermediate values goes back to the system instead of waiting for the next run. */
  readonly frugal?: boolean;
}

/**
 * onnxruntime-node copies each output of a run into a fresh array, also those that were written where they were wanted: gigabytes
 * at every step. It does so one after the other, and gives up at one that is no tensor; this is the first output of such graphs.
 */
const stopper = 'no copies';
const stoppersError = 'Non tensor type';

type Tensors = Readonly<Record<string, Tensor>>;

/** A graph, ready to run on one provider. `run` blocks its thread: long work belongs in a worker process. */
export class Session {
  private constructor(
    private readonly session: InferenceSession,
    readonly provider: Provider,
    /** The names to feed: inputs, and parameters without a stored weight. */
    readonly inputs: readonly string[],
    /** Shapes of all outputs, where they are written in place. */
    private readonly outputShapes?: Readonly<Record<string, Shape>>,
  ) {}

  /** Verifies the graph and hands it to ONNX Runtime. Throws `provider.missing` where a named provider does not work. */
  static async compile(graph: Graph, options: CompileOptions = {}): Promise<Session> {
    verify(graph);
    const choice = options.provider ?? 'cpu';
    const candidates = choice === 'auto' ? await automaticProviders() : [choice];
    for (const provider of candidates) {
      try {
        return await Session.on(provider, graph, options);
      } catch (error) {
        if (choice === 'auto' && provider !== 'cpu') continue;
        throw provider === 'cpu' ? error : providerMissing(provider, error);
      }
    }
    throw new Error('the CPU is always a candidate');
  }

  private static async on(provider: Provider, graph: Graph, options: CompileOptions): Promise<Session> {
    const files = new WeightFiles();
    const stored = options.weights;
    const training = unstored(graph, stored ?? (() => undefined)).length > 0;
    const writesInto = (options.writesInto ?? false) && provider === 'cpu';
    const model = onnxModel(graph, {
      ...(writesInto && { sequence: stopper }),
      hideShapes: training && provider === 'cpu',
      target: provider === 'webgpu' || provider === 'cpu' ? provider : 'device',
      weights: (name) => {
        const weight = stored?.(name);
        return weight && 'file' in weight ? files.place(weight) : weight;
      },
    });
    const settings = sessionOptions(provider, options, { files, training });
    const session = await InferenceSession.create(model, settings);
    const shapes = Object.entries(graph.outputs).map(([name, { shape }]) => [name, shape] as const);
    return new Session(
      session,
      provider,
      session.inputNames,
      writesInto ? Object.fromEntries(shapes) : undefined,
    );
  }

  /**
   * One run. Outputs are fresh tensors, except those given in `into`, whose memory is written, on CPU also when it is
   * an elementwise graph's own input (in place).
   */
  async run(feeds: Tensors, into?: Tensors): Promise<Record<string, Tensor>> {
    const named = Object.fromEntries(this.inputs.map((name) => [name, fed(feeds, name)]));
    const results = into ? await this.runInto(named, into) : await this.session.run(named);
    return Object.fromEntries(
      Object.entries(results).map(([name, tensor]) => [name, into?.[name] ?? new Tensor(tensor)]),
    );
  }

  private async runInto(
    named: Record<string, Tensor['ort']>,
    into: Tensors,
  ): Promise<Record<string, Tensor['ort']>> {
    const { outputNames } = this.session;
    const given = outputNames.map((name) => [name, into[name]?.ort ?? null] as const);
    if (!this.outputShapes) return this.session.run(named, Object.fromEntries(given));
    const fresh = Object.entries(this.outputShapes).filter(([name]) => !into[name]);
    const own = fresh.map(([name, shape]) => [name, Tensor.from(f32(shape)).ort] as const);
    const places = Object.fromEntries([...given, ...own]);
    try {
      await this.session.run(named, places);
    } catch (error) {
      if (!String(error).includes(stoppersError)) throw error;
    }
    return Object.fromEntries(Object.entries(places).filter(([, place]) => place)) as Record<
      string,
      Tensor['ort']
    >;
  }

  /** As `run`, from and to host memory. */
  async runHost(feeds: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>> {
    const given = Object.fromEntries(
      Object.entries(feeds).map(([name, tensor]) => [name, Tensor.from(tensor)]),
    );
    const results = await this.run(given);
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.host]));
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }
}

let found: Promise<Provider[]> | undefined;

/** What `auto` tries, best first: a GPU's provider only if it found a device when it was first asked for in this process. */
function automaticProviders(): Promise<Provider[]> {
  return (found ??= (async () => {
    const working: Provider[] = [];
    for (const provider of plausibleProviders()) if (await works(provider)) working.push(provider);
    return working;
  })());
}

async function works(provider: Provider): Promise<boolean> {
  if (provider === 'cpu') return true;
  try {
    const session = await Session.compile({ outputs: { y: input('x', [1]) } }, { provider });
    await session.dispose();
    return true;
  } catch {
    return false;
  }
}

function fed(feeds: Tensors, name: string): Tensor['ort'] {
  const tensor = feeds[name];
  if (!tensor) throw new Error(`input ${name} was not given`);
  return tensor.ort;
}

/** Bytes of stored weights up to which constants are folded (f16 weights cast once): folding keeps a second copy. */
const foldAtMost = 256 << 20;

function sessionOptions(
  provider: Provider,
  { keepOnDevice, threads, shortRuns = false, frugal = false }: CompileOptions,
  { files, training }: { files: WeightFiles; training: boolean },
): InferenceSession.SessionOptions {
  // Recomputed values are equal subexpressions: they must not be merged with the originals.
  const without = [
    'CommonSubexpressionElimination',
    ...(files.bytes > foldAtMost ? ['ConstantFolding'] : []),
  ];
  return {
    executionProviders: [provider],
    // Layout changes and fusions speed up inference; in training they would disturb the order of computation.
    graphOptimizationLevel: training ? 'basic' : 'all',
    logSeverityLevel: 3,
    // A pattern would be laid out beside the first run's memory.
    enableMemPattern: !training,
    enableCpuMemArena: !frugal,
    ...(threads && { intraOpNumThreads: threads }),
    ...(keepOnDevice && provider === 'webgpu' && { preferredOutputLocation: 'gpu-buffer' as const }),
    extra: {
      session: {
        disable_prepacking: '1',
        set_denormal_as_zero: '1',
        'intra_op.allow_spinning': shortRuns ? '1' : '0',
        ...(shortRuns && { force_spinning_stop: '1' }),
        ...(files.folder && { model_external_initializers_file_folder_path: files.folder }),
      },
      optimization: { disable_specified_optimizers: without.join(';') },
    },
  };
}

/** Copies a device tensor to host memory by running an identity graph: ONNX Runtime's own getter aborts the process. */
export async function readBack(tensor: Tensor): Promise<HostTensor> {
  if (!tensor.onDevice) return tensor.host;
  const graph: Graph = { outputs: { value: input('x', tensor.shape, tensor.dtype) } };
  const session = await Session.compile(graph, { provider: 'webgpu' });
  const { value } = await session.run({ x: tensor });
  await session.dispose();
  return (value as Tensor).host;
}

/** Parameters of the graph that are not stored, and so must be fed as its inputs are. */
export function unstored(graph: Graph, weights: (name: string) => unknown): string[] {
  return [...leaves(graph, 'parameter').keys()].filter((name) => !weights(name));
}
