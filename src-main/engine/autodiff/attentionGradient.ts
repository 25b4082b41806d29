import {
  add,
  constant,
  concat,
  matmul,
  mul,
  reshape,
  slice,
  softmax,
  sub,
  sum,
  transpose,
} from '../graph/build.ts';
import type { Node, Value } from '../graph/ops.ts';
import { f32 } from '../tensor/tensor.ts';

/** Scores recomputed at a time, in elements (4 bytes each): few enough to be small, enough to keep all cores busy. */
const fourMillion = 4 << 20;

/**
 * Gradient of softmax(q·kᵀ·scale)·v without keeping the scores (Dao et al. 2022, FlashAttention, algorithm 4):
 * they are recomputed by blocks of queries of one head, and each block's are gone before the next.
 * P = softmax(S); dV = Pᵀ·dO; dS = P∘(dO·Vᵀ − rowsum(dO∘O)); dQ = dS·K·scale; dK = dSᵀ·Q·scale.
 */
export function attentionGradient(node: Node<'attention'>, g: Value, blockElements = fourMillion): Value[] {
  const [q, k, v] = node.inputs as [Value, Value, Value];
  const { heads, scale, causal } = node.attributes;
  const [batch, targets, width] = q.shape as [number, number, number];
  const sources = k.shape[1] as number;
  const size = width / heads;
  const byHead = (x: Value): Value =>
    reshape(transpose(reshape(x, [batch, -1, heads, size]), [0, 2, 1, 3]), [batch * heads, -1, size]);
  const together = (parts: Value[], length: number): Value =>
    reshape(transpose(reshape(concat(parts, 0), [batch, heads, length, size]), [0, 2, 1, 3]), [
      batch,
      length,
      width,
    ]);

  const [qs, ks, vs, gs] = [byHead(q), byHead(k), byHead(v), byHead(g)];
  const weighted = sum(mul(gs, byHead(node)), [-1], true);
  const perHead = Math.ceil((targets * sources) / blockElements);
  const rows = Math.ceil(targets / perHead);
  const headsAtOnce =
    perHead > 1 ? 1 : Math.max(1, Math.min(batch * heads, Math.floor(blockElements / (targets * sources))));

  const [dq, dk, dv]: [Value[], Value[], Value[]] = [[], [], []];
  for (let head = 0; head < batch * heads; head += headsAtOnce) {
    const of = (x: Value): Value => slice(x, 0, head, Math.min(head + headsAtOnce, batch * heads));
    const [keys, values] = [of(ks), of(vs)];
    const blocks: Value[] = [];
    let [dKeys, dValues]: [Value | undefined, Value | undefined] = [undefined, undefined];
    for (let start = 0; start < targets; start += rows) {
      const end = Math.min(start + rows, targets);
      const block = (x: Value): Value => slice(of(x), 1, start, end);
      const [queries, gradient] = [block(qs), block(gs)];
      const scores = matmul(queries, keys, { transB: true, scale });
      const p = softmax(causal ? add(scores, causalMask(start, end, sources)) : scores);
      const ds = mul(p, sub(matmul(gradient, values, { transB: true }), block(weighted)));
      blocks.push(matmul(ds, keys, { scale }));
      const dk = matmul(ds, queries, { transA: true, scale });
      const dv = matmul(p, gradient, { transA: true });
      dKeys = dKeys ? add(dKeys, dk) : dk;
      dValues = dValues ? add(dValues, dv) : dv;
    }
    dq.push(concat(blocks, 1));
    dk.push(dKeys as Value);
    dv.push(dValues as Value);
  }
  return [together(dq, targets), together(dk, sources), together(dv, sources)];
}

/** Zero where a query may look, a large negative number at the keys after it. */
export function causalMask(start: number, end: number, sources: number): Value {
  const mask = f32([end - start, sources]);
  for (let row = start; row < end; row++)
    mask.data.fill(-1e30, (row - start) * sources + row + 1, (row - start + 1) * sources);
  return constant(mask);
}
