import { isHalf } from '../tensor/half.ts';
import { operand, type Node } from '../graph/ops.ts';
import { dims3, f32, type DType, type HostTensor, type Shape } from '../tensor/tensor.ts';
import { futureMask, maskRows, softmax } from './attention.ts';
import { scoreBlocks } from './attentionBlocks.ts';
import { dataTypes, type Emitter } from './emitter.ts';

/** What the gradient of some heads is computed from, each [heads, length, size] or as noted. */
interface Heads {
  /** Times the scale. */
  readonly queries: string;
  /** [heads, size, length], both. They are nodes of their own: a product that transposes on the fly takes a quarter longer. */
  readonly queriesTransposed: string;
  readonly gradientTransposed: string;
  /** The gradient with −rowsum(dO∘O) as one more column: times [V,1]ᵀ it gives dP less that sum. In 16 bits the gradient alone. */
  readonly extended: string;
  /** [heads, size, s]. */
  readonly keysTransposed: string;
  /** Times the scale. */
  readonly keys: string;
  /** [V,1]ᵀ: [heads, size + 1, s]. In 16 bits Vᵀ. */
  readonly valuesExtended: string;
}

/**
 * Gradient of softmax(q·kᵀ·scale)·v without keeping the scores (Dao et al. 2022, FlashAttention, algorithm 4): they are recomputed
 * by blocks of heads and queries, and each block's are freed before the next. P = softmax(S); dV = Pᵀ·dO; dS = P∘(dO·Vᵀ −
 * rowsum(dO∘O)); dQ = dS·K·scale; dK = dSᵀ·Q·scale. In 16 bits the sum is rowsum(P∘dP) instead: the same number, but O has been rounded,
 * and what the keys and values have in common would no longer cancel out (28 % off at 1,024 tokens).
 */
export function emitAttentionGradient(
  node: Node<'attentionGradient'>,
  [q = '', k = '', v = '', output = '', gradient = '']: readonly string[],
  e: Emitter,
): string {
  const { heads, scale, causal, block } = node.attributes;
  const [q0, k0] = [operand(node.inputs, 0), operand(node.inputs, 1)];
  const [batch, targets, width] = dims3(q0.shape);
  const sources = k0.shape[1] as number;
  const size = width / heads;
  const all = batch * heads;
  const half = isHalf(node.dtype);
  const split = (x: string, length: number): string =>
    e.reshape(e.emit('Transpose', [e.reshape(x, [batch, length, heads, size])], { perm: [0, 2, 1, 3] }), [
      all,
      length,
      size,
    ]);
  const scaled = (x: string): string => e.emit('Mul', [x, e.float(scale, node.dtype)]);

  const [keys, values, grads] = [split(k, sources), split(v, sources), split(gradient, targets)];
  const valuesTransposed = transposed(values, e);
  const ones = (): string => e.constant(filled([all, 1, sources], 1));
  const queries = scaled(split(q, targets));
  const whole: Heads = {
    queries,
    queriesTransposed: transposed(queries, e),
    gradientTransposed: transposed(grads, e),
    extended: half ? grads : withSums(grads, split(output, targets), e),
    keysTransposed: transposed(keys, e),
    keys: scaled(keys),
    valuesExtended: half ? valuesTransposed : e.emit('Concat', [valuesTransposed, ones()], { axis: 1 }),
  };
  const mask = causal ? futureMask(targets, sources) : undefined;
  const sizes = { all, targets, sources, size };
  const joined =
    all * targets * sources <= block
      ? joinedGradients(whole, mask && e.floats(mask, node.dtype), node.dtype, e)
      : e.target === 'cpu' && !half
        ? inLoops(whole, mask, sizes, block, e)
        : unrolled(whole, mask, sizes, node, e);
  const byPicture = e.reshape(joined, [batch, heads, targets + 2 * sources, size]);
  return e.reshape(e.emit('Transpose', [byPicture], { perm: [0, 2, 1, 3] }), node.shape);
}

interface Sizes {
  /** Heads of all pictures. */
  readonly all: number;
  readonly targets: number;
  readonly sources: number;
  readonly size: number;
}

function filled(shape: Shape, value: number): HostTensor<'f32'> {
  const tensor = f32(shape);
  tensor.data.fill(value);
  return tensor;
}

/** dO with −rowsum(dO∘O) as one more column. */
function withSums(gradient: string, output: string, e: Emitter): string {
  const products = e.emit('Mul', [gradient, output]);
  const sums = e.emit('ReduceSum', [products, e.integers([2])], { keepdims: 1 });
  return e.emit('Concat', [gradient, e.emit('Neg', [sums])], { axis: 2 });
}

function transposed(x: string, e: Emitter): string {
  return e.emit('Transpose', [x], { perm: [0, 2, 1] });
}

/** dQ, dKᵀ and dVᵀ of some queries of some heads. */
function gradients(
  { queries, queriesTransposed, gradientTransposed, extended, keysTransposed, keys, valuesExtended }: Heads,
  mask: string | undefined,
  dtype: DType,
  e: Emitter,
): { dq: string; dk: string; dv: string } {
  const scores = e.emit('MatMul', [queries, keysTransposed]);
  const p = softmax(mask ? e.emit('Add', [scores, mask]) : scores, dtype, e);
  const dv = e.emit('MatMul', [gradientTransposed, p]);
  const dp = e.emit('MatMul', [extended, valuesExtended]);
  const ds = isHalf(dtype) ? lessItsMean(p, dp, dtype, e) : e.emit('Mul', [p, dp]);
  const dk = e.emit('MatMul', [queriesTransposed, ds]);
  return { dq: e.emit('MatMul', [ds, keys]), dk, dv };
}

/** P∘(dP − rowsum(P∘dP)), in f32 from 16 bits and back. */
function lessItsMean(p: string, dp: string, dtype: DType, e: Emitter): string {
  return e.inSingle(dp, dtype, (wide) => {
    const weights = e.emit('Cast', [p], { to: dataTypes.f32 });
    const sums = e.emit('ReduceSum', [e.emit('Mul', [weights, wide]), e.integers([2])], { keepdims: 1 });
    return e.emit('Mul', [weights, e.emit('Sub', [wide, sums])]);
  });
}

/** [heads, t + 2s, size]: dQ, dK and dV one after the other. */
function joinedGradients(heads: Heads, mask: string | undefined, dtype: DType, e: Emitter): string {
  const { dq, dk, dv } = gradients(heads, mask, dtype, e);
  return e.emit('Concat', [dq, transposed(dk, e), transposed(dv, e)], { axis: 1 });
}

/** A loop over groups of heads, and in it one over blocks of queries which adds up dKᵀ and dVᵀ. */
function inLoops(
  whole: Heads,
  mask: HostTensor<'f32'> | undefined,
  sizes: Sizes,
  block: number,
  e: Emitter,
): string {
  const { all, targets, sources, size } = sizes;
  const together = largestDivisor(all, Math.max(2, Math.floor(block / (targets * sources))));
  const rows = largestDivisor(targets, Math.max(1, Math.floor(block / (together * sources))));
  const rounds = targets / rows;
  const masks = mask && e.constant({ ...mask, shape: [rounds, rows, sources] });
  const groups = (x: string, ...rest: number[]): string => e.reshape(x, [all / together, together, ...rest]);
  const inRounds = (x: string): string =>
    e.emit('Transpose', [groups(x, size, rounds, rows)], { perm: [0, 1, 3, 2, 4] });
  const grouped: Heads = {
    queries: groups(whole.queries, rounds, rows, size),
    queriesTransposed: inRounds(whole.queriesTransposed),
    gradientTransposed: inRounds(whole.gradientTransposed),
    extended: groups(whole.extended, rounds, rows, size + 1),
    keysTransposed: groups(whole.keysTransposed, size, sources),
    keys: groups(whole.keys, sources, size),
    valuesExtended: groups(whole.valuesExtended, size + 1, sources),
  };
  const sumShape = [together, size, sources];
  const [results = ''] = e.loop(
    all / together,
    [],
    [[together, targets + 2 * sources, size]],
    (outer, group) => {
      const own = mapHeads(grouped, (x) => outer.emit('Gather', [x, group], { axis: 0 }));
      const zero = { start: outer.constant(f32(sumShape)), shape: sumShape };
      const [dk = '', dv = '', dq = ''] = outer.loop(
        rounds,
        [zero, zero],
        [[together, rows, size]],
        (inner, round, [dkSum = '', dvSum = '']) => {
          const pick = (x: string): string => inner.emit('Gather', [x, round], { axis: 1 });
          const some: Heads = {
            ...own,
            queries: pick(own.queries),
            queriesTransposed: pick(own.queriesTransposed),
            gradientTransposed: pick(own.gradientTransposed),
            extended: pick(own.extended),
          };
          const ownMask = masks && inner.emit('Gather', [masks, round], { axis: 0 });
          const part = gradients(some, ownMask, 'f32', inner);
          const sums = [inner.emit('Add', [dkSum, part.dk]), inner.emit('Add', [dvSum, part.dv])];
          return { carried: sums, results: [part.dq] };
        },
      );
      const inOrder = outer.emit('Transpose', [dq], { perm: [1, 0, 2, 3] });
      const dQueries = outer.reshape(inOrder, [together, targets, size]);
      const joined = outer.emit('Concat', [dQueries, transposed(dk, outer), transposed(dv, outer)], {
        axis: 1,
      });
      return { carried: [], results: [joined] };
    },
  );
  return e.reshape(results, [all, targets + 2 * sources, size]);
}

/**
 * x, computed after `others`: each block's sums before the next block's scores. ONNX Runtime would compute all of dQ first, and keep the
 * scores of all blocks for the sums.
 */
function after(x: string, others: readonly string[], dtype: DType, e: Emitter): string {
  const zeros = others.map((other) => e.zeroAfter(e.slice(other, [0, 0, 0], [1, 1, 1]), dtype));
  return zeros.reduce((late, zero) => e.emit('Add', [late, zero]), x);
}

/** The same without a loop, for providers that would leave the device for one. */
function unrolled(
  whole: Heads,
  mask: HostTensor<'f32'> | undefined,
  { all, targets, sources }: Sizes,
  { attributes, dtype }: Node<'attentionGradient'>,
  e: Emitter,
): string {
  const blocks = scoreBlocks({ all, targets, sources }, attributes.block);
  const parts = blocks.map(({ heads, rows }) => {
    const own = mapHeads(whole, (x) => e.part(x, 0, heads, all));
    const cut = (x: string, axis: number, stretch: readonly [number, number]): string =>
      e.part(x, axis, stretch, targets);
    let sums: { dk: string; dv: string } | undefined;
    const dq = rows.map((stretch) => {
      const some: Heads = {
        ...own,
        queries: after(cut(own.queries, 1, stretch), sums ? [sums.dk, sums.dv] : [], dtype, e),
        queriesTransposed: cut(own.queriesTransposed, 2, stretch),
        gradientTransposed: cut(own.gradientTransposed, 2, stretch),
        extended: cut(own.extended, 1, stretch),
      };
      const { dq, dk, dv } = gradients(some, mask && maskRows(mask, stretch, dtype, e), dtype, e);
      sums = sums ? { dk: e.emit('Add', [sums.dk, dk]), dv: e.emit('Add', [sums.dv, dv]) } : { dk, dv };
      return dq;
    });
    const { dk = '', dv = '' } = sums ?? {};
    return e.emit('Concat', [...dq, transposed(dk, e), transposed(dv, e)], { axis: 1 });
  });
  return e.concat(parts, 0);
}

function mapHeads(heads: Heads, change: (x: string) => string): Heads {
  return Object.fromEntries(
    Object.entries(heads).map(([key, x]) => [key, change(x as string)]),
  ) as unknown as Heads;
}

/** The largest divisor of `n` that is at most `limit`. */
function largestDivisor(n: number, limit: number): number {
  for (let divisor = Math.min(n, limit); divisor > 1; divisor--) if (n % divisor === 0) return divisor;
  return 1;
}
