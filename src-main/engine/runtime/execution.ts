import { leaves, type Graph } from '../graph/graph.ts';
import { hostPart } from '../graph/hostPart.ts';
import { halfTypeOf } from '../graph/mixedPrecision.ts';
import { splitKernels } from '../graph/splitKernels.ts';
import { onnxModel } from '../onnx/model.ts';
import type { DType, FileTensor, HostTensor, Shape } from '../tensor/tensor.ts';
import { InferenceSession } from './onnxRuntime.ts';
import type { HalfType } from '../../../src-shared/domain/precision.ts';
import type { Provider, ProviderChoice } from '../../../src-shared/domain/providers.ts';
import { castsBeforehand } from './weightsOnWebGpu.ts';
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
  /** For many runs of a few milliseconds: threads stay awake between operations, until the run ends. */
  readonly shortRuns?: boolean;
  /** Memory of intermediate values goes back to the system after a run instead of being kept for the next. */
  readonly frugal?: boolean;
  /** The caller has a way that needs less memory: where it is short, `auto` throws `provider.outOfMemory` too. */
  readonly canAskForLess?: boolean;
  /**
   * The type that weights from files are kept in on a device, where the graph is in f32: they are cast where they are used, and those of
   * another type are converted once.
   */
  readonly storedIn?: HalfType;
  /** Writes what each operation takes to a file whose name begins so (`Session.endProfile`). */
  readonly profileTo?: string;
}

/**
 * onnxruntime-node copies each output of a run into a fresh array, even one that was written in place: gigabytes at every step. It
 * goes through the outputs in order and stops at one that is not a tensor, so such graphs get a first output that is none: this
 * one.
 */
const stopper = 'no copies';
export const stoppersError = 'Non tensor type';

/** How a graph is executed, and what a session needs to know of it. */
export interface Execution {
  readonly session: InferenceSession;
  readonly provider: Provider;
  /** Shapes of all outputs, where they are written in place. */
  readonly outputShapes?: Readonly<Record<string, Shape>>;
  /** Computes inputs of `session` beforehand, on the CPU. */
  readonly before?: InferenceSession;
}

/** Hands a graph to ONNX Runtime. */
export async function execution(
  provider: Provider,
  graph: Graph,
  options: CompileOptions,
  fusedAttention = false,
): Promise<Execution> {
  const files = new WeightFiles();
  const stored = options.weights;
  const { host, device: whole } = provider === 'cpu' ? { device: graph } : hostPart(graph);
  const storedIn = provider === 'cpu' ? undefined : options.storedIn;
  const types = leaves(whole, 'parameter');
  const halves = halfTypeOf(graph) !== undefined;
  const dtypes = (): Set<DType | undefined> =>
    new Set([...types.keys()].map((name) => stored?.(name)?.dtype));
  // In mixed precision too, weights are converted beforehand.
  const castsFirst = halves || (provider === 'webgpu' && (await castsBeforehand(dtypes(), storedIn)));
  const storedAs = (name: string): DType | undefined => {
    const weight = stored?.(name);
    if (!weight || !('file' in weight)) return undefined;
    return castsFirst ? types.get(name)?.dtype : (storedIn ?? weight.dtype);
  };
  const device = provider === 'webgpu' ? splitKernels(whole, storedAs) : whole;
  const training = unstored(graph, stored ?? (() => undefined)).length > 0;
  const writesInto = (options.writesInto ?? false) && provider === 'cpu';
  const model = onnxModel(device, {
    ...(writesInto && { sequence: stopper }),
    // WebGPU keeps buffers for values of the same size in any case: knowing the shapes, the runtime plans with fewer of them.
    hideShapes: training && provider === 'cpu',
    // The CPU's own operations are f32.
    target: provider === 'webgpu' || (provider === 'cpu' && !halves) ? provider : 'device',
    fusedAttention,
    castsFirst,
    ...(storedIn && { storedIn }),
    weights: (name) => {
      const weight = stored?.(name);
      return weight && 'file' in weight ? files.place(weight) : weight;
    },
  });
  const settings = sessionOptions(provider, options, {
    files,
    training,
    converts: castsFirst || storedIn !== undefined,
  });
  const session = await InferenceSession.create(model, settings);
  const shapes = Object.entries(graph.outputs).map(([name, { shape }]) => [name, shape] as const);
  const before = host && (await InferenceSession.create(onnxModel(host, { target: 'cpu' })));
  return {
    session,
    provider,
    ...(before && { before }),
    ...(writesInto && { outputShapes: Object.fromEntries(shapes) }),
  };
}

export async function release({ session, before }: Execution): Promise<void> {
  await session.release();
  await before?.release();
}

/** Most bytes of stored weights for which constants are folded (f16 weights cast once): folding keeps a second copy. */
const foldAtMost = 256 << 20;

export function sessionOptions(
  provider: Provider,
  { keepOnDevice, threads, shortRuns = false, frugal = false, profileTo }: CompileOptions,
  { files, training, converts = false }: { files: WeightFiles; training: boolean; converts?: boolean },
): InferenceSession.SessionOptions {
  // Recomputed values are equal subexpressions: they must not be merged with the originals.
  const without = [
    'CommonSubexpressionElimination',
    // On a device weights of another type are cast where they are used, but where they are to be cast first, or kept in 16 bits.
    ...(!converts && (files.bytes > foldAtMost || provider !== 'cpu') ? ['ConstantFolding'] : []),
  ];
  return {
    executionProviders: [
      // Buffers are kept by size for other values. Released ones (lazyRelease) wait for the device, which the program runs ahead of: 301
      // MB where this takes 223.
      provider === 'webgpu' ? { name: provider, storageBufferCacheMode: 'simple' } : provider,
    ],
    // Layout changes and fusions speed up inference; in training they would disturb the order of computation.
    graphOptimizationLevel: training ? 'basic' : 'all',
    logSeverityLevel: 3,
    // A memory pattern would be allocated beside the first run's memory.
    enableMemPattern: !training,
    enableCpuMemArena: !frugal,
    ...(profileTo !== undefined && { enableProfiling: true, profileFilePrefix: profileTo }),
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

/** Parameters of the graph that are not stored, and so must be fed as its inputs are. */
function unstored(graph: Graph, weights: (name: string) => unknown): string[] {
  return [...leaves(graph, 'parameter').keys()].filter((name) => !weights(name));
}
