import { backward } from '../autodiff/backward.ts';
import {
  add,
  attention,
  concat,
  conv2d,
  gemm,
  groupNorm,
  input,
  layerNorm,
  meanSquaredError,
  mul,
  parameter,
  reshape,
  silu,
  transpose,
  upsample,
} from '../graph/build.ts';
import { leaves, type Graph } from '../graph/graph.ts';
import { mixedPrecision } from '../graph/mixedPrecision.ts';
import type { Value } from '../graph/ops.ts';
import { TorchGenerator } from '../tensor/random.ts';
import { f32, type HostTensor } from '../tensor/tensor.ts';
import { reasonOf } from './deviceErrors.ts';
import type { Precision } from '../../../src-shared/domain/precision.ts';
import type { Provider } from '../../../src-shared/domain/providers.ts';
import type { Verdict } from './verdict.ts';

type Feeds = Readonly<Record<string, HostTensor>>;

/** A graph that is ready to run on a provider. */
interface Trial {
  runHost(feeds: Feeds): Promise<Record<string, HostTensor>>;
  dispose(): Promise<void>;
}

export type TrialOpener = (
  provider: Provider,
  graph: Graph,
  options: { readonly weights: (name: string) => HostTensor | undefined; readonly fusedAttention: boolean },
) => Promise<Trial>;

/**
 * Largest relative error that rounding explains: of f32 sums in another order or of a device's shorter f32 products, and of 16 bits
 * (2.3 % where a device sums up in f16 too).
 */
const tolerances: Readonly<Record<Precision, number>> = { f32: 1e-3, f16: 5e-2, bf16: 0.2 };
const tolerance = tolerances.f32;

/**
 * Tries a provider in earnest: a small U-Net with 1,024 tokens, text and its gradients, three times, against the CPU's numbers in
 * f32; then fused attention by itself. Does not throw.
 */
export async function tryProvider(
  provider: Provider,
  open: TrialOpener,
  precision: Precision = 'f32',
): Promise<Verdict> {
  const { graph: whole, values } = smallUNet();
  const graph = precision === 'f32' ? whole : smallUNet(precision).graph;
  const expected = await run('cpu', whole, values, open, false);
  let trial: Timed;
  try {
    trial = await run(provider, graph, values, open, false);
  } catch (error) {
    const made = error instanceof RunFailed;
    return { provider, state: made ? 'failed' : 'absent', why: reasonOf(made ? error.cause : error) };
  }
  const measure = precision === 'f32' ? largestError : distance;
  const error = measure(trial.results, expected.results);
  // Not written as >: NaN is wrong too.
  if (!(error <= tolerances[precision])) return { provider, state: 'wrong', error };
  const { seconds } = trial;
  const fusedAttention =
    precision === 'f32' &&
    provider === 'webgpu' &&
    seconds < hopeless &&
    (await fusedAttentionIsRight(provider, open));
  return {
    provider,
    state: 'right',
    error,
    fusedAttention,
    seconds,
    cpuSeconds: expected.seconds,
  };
}

/** Fused attention at 64 and 1,024 queries, of pictures and of text's 77 tokens, for the family's head sizes. */
async function fusedAttentionIsRight(provider: Provider, open: TrialOpener): Promise<boolean> {
  const outputs: Record<string, Value> = {};
  for (const queries of [64, 1024])
    for (const size of [32, 40, 64])
      for (const keys of [77, queries]) {
        const name = `${queries} of ${keys} by ${size}`;
        const tokens = (of: string, length: number): Value => input(`${of} ${name}`, [1, length, 2 * size]);
        const [q, k, v] = [tokens('q', queries), tokens('k', keys), tokens('v', keys)];
        outputs[name] = attention(q, k, v, { heads: 2, scale: size ** -0.5, causal: false });
      }
  const values = valuesFor({ outputs });
  try {
    const expected = await run('cpu', { outputs }, values, open, false);
    const { results } = await run(provider, { outputs }, values, open, true);
    return largestError(results, expected.results) <= tolerance;
  } catch {
    return false;
  }
}

/** Runs after the first, which compiles kernels. */
const timedRuns = 2;
/** A first run of more seconds than compiling explains: the graphics driver is software. */
const hopeless = 5;

interface Timed {
  readonly results: Record<string, HostTensor>;
  readonly seconds: number;
}

/** The session was made but did not run. */
class RunFailed extends Error {}

async function run(
  provider: Provider,
  graph: Graph,
  values: ReadonlyMap<string, HostTensor>,
  open: TrialOpener,
  fusedAttention: boolean,
): Promise<Timed> {
  const isFed = (name: string): boolean => leaves(graph, 'input').has(name) || trained.test(name);
  const weights = (name: string): HostTensor | undefined => (isFed(name) ? undefined : values.get(name));
  const session = await open(provider, graph, { weights, fusedAttention });
  try {
    const feeds = Object.fromEntries([...values].filter(([name]) => isFed(name)));
    let best: Timed | undefined;
    for (let round = 0; round <= timedRuns; round++) {
      const started = performance.now();
      const results = await session.runHost(feeds);
      const seconds = (performance.now() - started) / 1000;
      if (!best || seconds < best.seconds) best = { results, seconds };
      if (seconds > hopeless) break;
    }
    return best as Timed;
  } catch (error) {
    throw new RunFailed('the trial did not run', { cause: error });
  } finally {
    await session.dispose().catch(() => undefined);
  }
}

/** Largest difference of any output, relative to that output's largest value; NaN where any value is NaN. */
function largestError(found: Record<string, HostTensor>, expected: Record<string, HostTensor>): number {
  let worst = 0;
  for (const [name, { data }] of Object.entries(expected)) {
    let [largest, difference] = [0, 0];
    const other = found[name]?.data;
    for (let i = 0; i < data.length; i++) {
      const value = Number(data[i]);
      const off = Math.abs(Number(other?.[i]) - value);
      if (!(off <= difference)) difference = off;
      largest = Math.max(largest, Math.abs(value));
    }
    if (!(difference / largest <= worst)) worst = difference / largest;
  }
  return worst;
}

/** Largest distance of any output, relative to that output's length: in 16 bits, some single values are always mostly rounding. */
function distance(found: Record<string, HostTensor>, expected: Record<string, HostTensor>): number {
  const distances = Object.entries(expected).map(([name, { data }]) => {
    let [off, whole] = [0, 0];
    for (let i = 0; i < data.length; i++) {
      off += (Number(found[name]?.data[i]) - Number(data[i])) ** 2;
      whole += Number(data[i]) ** 2;
    }
    return Math.sqrt(off / whole);
  });
  return Math.max(...distances);
}

/** Weights that are fed at every run, and get a gradient. */
const trained = /^trained\./;
const [width, heads, side, textLength] = [80, 2, 32, 77];
const gradientScale = 1024;

/** Two levels with a skip connection, self-attention over 1,024 tokens, cross-attention over a text's, and a loss. */
function smallUNet(precision: Precision = 'f32'): {
  readonly graph: Graph;
  readonly values: ReadonlyMap<string, HostTensor>;
} {
  const kernel = (name: string, from: number, to = width): Value => parameter(name, [to, from, 3, 3]);
  const same = { stride: [1, 1], padding: [1, 1, 1, 1] } as const;
  const vector = (name: string): Value => parameter(name, [width]);
  const linear = (x: Value, name: string): Value => {
    const rows = reshape(x, [-1, width]);
    return reshape(gemm(rows, parameter(name, [width, width]), false, true), x.shape);
  };
  const attend = (x: Value, name: string, to: Value): Value => {
    const [k, v] = [linear(to, `${name}.k`), linear(to, `trained.${name}.v`)];
    const attributes = { heads, scale: (width / heads) ** -0.5, causal: false };
    return add(x, attention(linear(x, `trained.${name}.q`), k, v, attributes));
  };
  const sample = input('sample', [1, 4, side, side]);
  const skip = conv2d(sample, kernel('in', 4), vector('in.bias'), same);
  const normal = silu(groupNorm(skip, vector('norm.scale'), vector('norm.bias'), 8, 1e-5));
  const tokens = reshape(transpose(normal, [0, 2, 3, 1]), [1, side * side, width]);
  const own = layerNorm(tokens, vector('norm1.scale'), vector('norm1.bias'), 1e-5);
  const informed = attend(attend(own, 'self', own), 'cross', input('text', [1, textLength, width]));
  const image = transpose(reshape(informed, [1, side, side, width]), [0, 3, 1, 2]);
  const down = conv2d(image, kernel('trained.down', width), vector('down.bias'), { ...same, stride: [2, 2] });
  const joined = concat([upsample(silu(down), 2), mul(skip, 0.5)], 1);
  const predicted = conv2d(joined, kernel('out', 2 * width, 4), undefined, same);
  const whole = {
    outputs: { predicted, loss: meanSquaredError(predicted, input('noise', predicted.shape)) },
  };
  const values = valuesFor(whole);
  const { outputs } =
    precision === 'f32' ? whole : mixedPrecision(whole, precision, (name) => trained.test(name));
  const { loss } = outputs;
  const weights = [...leaves({ outputs: { loss } }, 'parameter')].filter(([name]) => trained.test(name));
  // In 16 bits, few gradients should be too small to be represented.
  const scaled = precision === 'f32' ? loss : mul(loss, gradientScale);
  const gradients = backward(
    scaled,
    weights.map(([, value]) => value),
  );
  const named = weights.map(([name], i) => {
    const gradient = gradients[i] as Value;
    return [`gradient.${name}`, precision === 'f32' ? gradient : mul(gradient, 1 / gradientScale)] as const;
  });
  return {
    graph: { outputs: { ...outputs, ...(Object.fromEntries(named) as Record<string, Value>) } },
    values,
  };
}

/**
 * Weights as at the start of training, and inputs of about their size: normally distributed, so that attention looks at many tokens and
 * no gradient is the small difference of large terms.
 */
function valuesFor(graph: Graph): Map<string, HostTensor> {
  const all = [...leaves(graph, 'parameter'), ...leaves(graph, 'input')];
  return new Map(
    all.map(([name, { shape, op }], seed) => {
      const fan = shape.slice(1).reduce((product, size) => product * size, 1);
      const scale = op === 'parameter' && shape.length > 1 ? 1 / Math.sqrt(fan) : 1;
      return [
        name,
        f32(
          shape,
          new TorchGenerator(seed).randn(shape).map((value) => scale * value),
        ),
      ];
    }),
  );
}
