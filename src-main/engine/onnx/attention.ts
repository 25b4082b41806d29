import type { Node } from '../graph/ops.ts';
import { dims3, type DType, f32, type HostTensor } from '../tensor/tensor.ts';
import { scoreBlocks, scoresOnDevice } from './attentionBlocks.ts';
import type { Emitter } from './emitter.ts';

/**
 * ONNX Runtime's fused operation computes attention in blocks: always on the CPU, and on a GPU where a self-test of it came out
 * right (`Emitter.fusedAttention`). Elsewhere: products and a softmax, on GPUs by blocks of heads and queries.
 */
export function emitAttention(
  node: Node<'attention'>,
  [q = '', k = '', v = '']: readonly string[],
  e: Emitter,
): string {
  const { heads, scale, causal } = node.attributes;
  if (e.target === 'cpu' || (e.fusedAttention && !causal)) {
    return e.emitFused('MultiHeadAttention', [q, k, v], {
      num_heads: heads,
      scale: { float: scale },
      ...(causal && { unidirectional: 1 }),
    });
  }
  const [batch, targets, width] = dims3(node.shape);
  const sources = (node.inputs[1] as { shape: readonly number[] }).shape[1] as number;
  const [all, size] = [batch * heads, width / heads];
  const split = (x: string, length: number, perm: readonly number[]): string => {
    const byHead = e.emit('Transpose', [e.reshape(x, [batch, length, heads, size])], { perm });
    return e.reshape(byHead, perm[3] === 1 ? [all, size, length] : [all, length, size]);
  };
  const queries = e.emit('Mul', [split(q, targets, [0, 2, 1, 3]), e.float(scale, node.dtype)]);
  const [keys, values] = [split(k, sources, [0, 2, 3, 1]), split(v, sources, [0, 2, 1, 3])];
  const mask = causal ? futureMask(targets, sources) : undefined;

  const limit = e.target === 'portable' ? Infinity : scoresOnDevice[e.learns ? 'inTraining' : 'alone'];
  const mixed = scoreBlocks({ all, targets, sources }, limit).map(({ heads: some, rows }) => {
    const [ownKeys, ownValues] = [e.part(keys, 0, some, all), e.part(values, 0, some, all)];
    const ownQueries = e.part(queries, 0, some, all);
    const parts = rows.map((stretch) => {
      const product = e.emit('MatMul', [e.part(ownQueries, 1, stretch, targets), ownKeys]);
      const scores = mask ? e.emit('Add', [product, maskRows(mask, stretch, node.dtype, e)]) : product;
      return e.emit('MatMul', [softmax(scores, node.dtype, e), ownValues]);
    });
    return e.concat(parts, 1);
  });
  const byHead = e.reshape(e.concat(mixed, 0), [batch, heads, targets, size]);
  return e.reshape(e.emit('Transpose', [byHead], { perm: [0, 2, 1, 3] }), node.shape);
}

/** Over the last axis; in f32 whatever the scores are. */
export function softmax(scores: string, dtype: DType, e: Emitter): string {
  return e.inSingle(scores, dtype, (x) => e.emit('Softmax', [x], { axis: -1 }));
}

/** Rows [from, to) of a mask. */
export function maskRows(
  { shape, data }: HostTensor<'f32'>,
  [from, to]: readonly [number, number],
  dtype: DType,
  e: Emitter,
): string {
  const sources = shape[1] as number;
  const rows = data.subarray(from * sources, to * sources);
  return e.floats({ dtype: 'f32', shape: [to - from, sources], data: rows }, dtype);
}

/** Lower than any key's score; f16 has nothing below −65,504. */
const never = -3e4;

/** [targets, sources]: what is added to the scores so that no query sees a later key. */
export function futureMask(targets: number, sources: number): HostTensor<'f32'> {
  const mask = f32([targets, sources]);
  for (let row = 0; row < targets; row++) mask.data.fill(never, row * sources + row + 1, (row + 1) * sources);
  return mask;
}
