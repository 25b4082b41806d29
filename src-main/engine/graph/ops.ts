import type { DType, HostTensor, Shape } from '../tensor/tensor.ts';

type None = Readonly<Record<string, never>>;

/** What every convolution has: strides and zero padding in pixels, as [vertical, horizontal] and [top, left, bottom, right]. */
export interface ConvAttributes {
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number, number, number];
}

/**
 * Every operation of the IR, with its attributes. The tables over it (`shapeRules`, `gradientRules`,
 * `onnxRules`) are total: an operation without an entry does not compile.
 */
export interface OpAttributes {
  // leaves
  input: { readonly name: string };
  parameter: { readonly name: string };
  constant: { readonly tensor: HostTensor };
  // one input, elementwise
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  reciprocal: None;
  sigmoid: None;
  tanh: None;
  relu: None;
  sin: None;
  cos: None;
  /** x·sigmoid(alpha·x): SiLU at alpha 1, CLIP's "quick GELU" at 1.702. */
  swish: { readonly alpha: number };
  /** x·Φ(x), exact (erf). */
  gelu: None;
  erf: None;
  cast: { readonly dtype: DType };
  // two or three inputs, elementwise, broadcasting as NumPy does
  add: None;
  sub: None;
  mul: None;
  div: None;
  less: None;
  equal: None;
  where: None;
  // reductions
  sum: { readonly axes: readonly number[]; readonly keepDims: boolean };
  max: { readonly axes: readonly number[]; readonly keepDims: boolean };
  // layout
  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  expand: { readonly shape: Shape };
  slice: { readonly starts: readonly number[]; readonly ends: readonly number[] };
  pad: { readonly before: readonly number[]; readonly after: readonly number[] };
  concat: { readonly axis: number };
  /** Nearest-neighbour upsampling of [b,c,h,w] by a whole factor. */
  upsample: { readonly factor: number };
  // products
  /** Batched product of the last two axes, either side read transposed; times `scale`. */
  matmul: { readonly transA: boolean; readonly transB: boolean; readonly scale: number };
  /** [m,k]·[k,n] (+ bias [n] as third input), either side read transposed. */
  gemm: { readonly transA: boolean; readonly transB: boolean };
  /** [b,i,h,w] ∗ [o,i/groups,kh,kw] (+ bias [o] as third input); with groups, each group of inputs makes one group of outputs. */
  conv2d: ConvAttributes & { readonly groups?: number };
  /** (output gradient, weight) → gradient of the input, whose [h,w] is given. */
  conv2dInputGradient: ConvAttributes & { readonly size: readonly [number, number] };
  /** (input, output gradient) → gradient of the weight, whose [kh,kw] is given. */
  conv2dWeightGradient: ConvAttributes & { readonly kernel: readonly [number, number] };
  // networks' own
  /** Over the last axis. */
  softmax: None;
  /** (x, scale, bias) over the last axis. */
  layerNorm: { readonly epsilon: number };
  /** (x [b,c,…], scale [c], bias [c]). */
  groupNorm: { readonly groups: number; readonly epsilon: number };
  /** (q [b,t,c], k [b,s,c], v [b,s,c]) → [b,t,c]; scores are softmax(q·kᵀ·scale), never kept whole. */
  attention: { readonly heads: number; readonly scale: number; readonly causal: boolean };
  /**
   * (q, k, v, attention's output, its gradient) → gradients of q, k and v, joined along axis 1: [b,t+2s,c]. Scores are
   * computed again, about `block` of them at a time.
   */
  attentionGradient: OpAttributes['attention'] & { readonly block: number };
  /** (table [n,d], ids i64 […]) → […,d]. */
  gather: None;
  /** (ids i64 […], rows […,d]) → [n,d]: each row added at its id. */
  scatterAdd: { readonly rows: number };
  /** (x, after) → x, computed only after `after`: keeps recomputed values late, and keeps them from being merged away. */
  barrier: None;
  /** x, of which gradients know nothing: torch's `detach`. */
  detach: None;
}

export type Op = keyof OpAttributes;

/** One operation applied: an immutable value of known type and shape. `id` grows in order of creation. */
export interface Node<K extends Op> {
  readonly id: number;
  readonly op: K;
  readonly inputs: readonly Value[];
  readonly attributes: OpAttributes[K];
  readonly dtype: DType;
  readonly shape: Shape;
}

export type Value = { [K in Op]: Node<K> }[Op];

/** Throws where it is missing: a fault of the program. */
export function operand(inputs: readonly Value[], index: number): Value {
  const value = inputs[index];
  if (!value) throw new Error(`operand ${index} is missing`);
  return value;
}
