import { operand, type Node, type Op } from '../graph/ops.ts';
import { elementCount, f32 } from '../tensor/tensor.ts';
import { emitAttention } from './attention.ts';
import { emitAttentionGradient } from './attentionGradient.ts';
import { emitConv, emitConvInputGradient, emitConvWeightGradient } from './convolution.ts';
import { dataTypes, type Emitter } from './emitter.ts';
import { emitGroupNorm } from './groupNorm.ts';

/** (node, names of its operands, emitter) → name of its result, after adding what computes it. */
export type OnnxRule<K extends Op> = (node: Node<K>, operands: readonly string[], emitter: Emitter) => string;

/** For operations that ONNX has under another name and without attributes. */
const plain =
  (op: string): OnnxRule<Op> =>
  (_, operands, e) =>
    e.emit(op, operands);

const leaf = (): never => {
  throw new Error('leaves are bound, not emitted');
};

const last = (x: { readonly shape: readonly number[] }): [number, number] => [
  x.shape.length - 2,
  x.shape.length - 1,
];

function transposedLast(node: Node<'matmul'>, index: 0 | 1, name: string, e: Emitter): string {
  const operand = node.inputs[index] as { readonly shape: readonly number[] };
  const perm = [...operand.shape.keys()];
  const [rows, columns] = last(operand);
  [perm[rows], perm[columns]] = [columns, rows];
  return e.emit('Transpose', [name], { perm });
}

const emitMatmul: OnnxRule<'matmul'> = (node, [a = '', b = ''], e) => {
  const { transA, transB, scale } = node.attributes;
  if (!transA && !transB && scale === 1) return e.emit('MatMul', [a, b]);
  if (e.target === 'cpu') {
    return e.emitFused('FusedMatMul', [a, b], {
      transA: Number(transA),
      transB: Number(transB),
      alpha: { float: scale },
    });
  }
  const left = transA ? transposedLast(node, 0, a, e) : a;
  const right = transB ? transposedLast(node, 1, b, e) : b;
  const product = e.emit('MatMul', [left, right]);
  return scale === 1 ? product : e.emit('Mul', [product, e.float(scale, node.dtype)]);
};

const turned = (matrix: string, e: Emitter): string => e.emit('Transpose', [matrix], { perm: [1, 0] });

/**
 * ONNX Runtime's Gemm writes the bias first and reads it back, which costs more than an addition afterwards, and reads a
 * transposed left side slowly.
 */
const emitGemm: OnnxRule<'gemm'> = ({ attributes, inputs }, [a = '', b = '', bias], e) => {
  const { transA, transB } = attributes;
  if (e.target !== 'cpu') {
    const operands = bias === undefined ? [a, b] : [a, b, bias];
    return e.emit('Gemm', operands, { transA: Number(transA), transB: Number(transB) });
  }
  const [first, second] = [operand(inputs, 0), operand(inputs, 1)];
  if (transA && !transB && !inputs[2] && elementCount(first.shape) > elementCount(second.shape)) {
    // The small side is turned instead: aᵀ·b = (bᵀ·a)ᵀ.
    return turned(e.emit('MatMul', [turned(b, e), a]), e);
  }
  const left = transA ? turned(a, e) : a;
  const product = transB ? e.emitFused('FusedMatMul', [left, b], { transB: 1 }) : e.emit('MatMul', [left, b]);
  return bias === undefined ? product : e.emit('Add', [product, bias]);
};

const reduction =
  (op: string): OnnxRule<'sum' | 'max'> =>
  ({ attributes: { axes, keepDims }, dtype }, [x = ''], e) =>
    e.inSingle(x, dtype, (of) => e.emit(op, [of, e.integers(axes)], { keepdims: Number(keepDims) }));

/**
 * x through a reshape whose target, [-1 + 0·after[0]], can't be known before `after` exists. No copy is made. Flatten keeps ONNX
 * Runtime from joining this reshape with a following one, which would drop the dependence or fail. Targets are read on the CPU, so
 * a device would be waited for each time: there, zero is added instead, as `after < after` is false for every number.
 */
const emitBarrier: OnnxRule<'barrier'> = ({ inputs, shape, dtype }, [x = '', after = ''], e) => {
  const size = (inputs[1] as { shape: readonly number[] }).shape;
  const starts = size.map(() => 0);
  const ends = size.map(() => 1);
  const corner = size.length ? e.slice(after, starts, ends) : after;
  if ((e.target === 'webgpu' || e.target === 'device') && (dtype === 'f32' || dtype === 'f16')) {
    const late = e.emit('Add', [x, e.zeroAfter(corner, dtype)]);
    return shape.length ? late : e.reshape(late, shape);
  }
  const whole = e.emit('Cast', [e.reshape(corner, [1])], { to: dataTypes.i64 });
  const target = e.emit('Add', [e.emit('Mul', [whole, e.integers([0])]), e.integers([-1])]);
  return e.reshape(e.emit('Flatten', [e.emit('Reshape', [x, target])], { axis: 0 }), shape);
};

export const onnxRules: { readonly [K in Op]: OnnxRule<K> } = {
  input: leaf,
  parameter: leaf,
  constant: ({ attributes }, _, e) => e.constant(attributes.tensor),
  neg: plain('Neg'),
  exp: plain('Exp'),
  log: plain('Log'),
  sqrt: plain('Sqrt'),
  reciprocal: plain('Reciprocal'),
  sigmoid: plain('Sigmoid'),
  tanh: plain('Tanh'),
  relu: plain('Relu'),
  sin: plain('Sin'),
  cos: plain('Cos'),
  swish: ({ attributes, dtype }, [x = ''], e) => {
    const { alpha } = attributes;
    if (e.target === 'cpu' || e.target === 'webgpu')
      return e.emitFused('QuickGelu', [x], { alpha: { float: alpha } });
    const scaled = alpha === 1 ? x : e.emit('Mul', [x, e.float(alpha, dtype)]);
    return e.emit('Mul', [x, e.emit('Sigmoid', [scaled])]);
  },
  gelu: ({ dtype }, [x = ''], e) => {
    if (e.target === 'cpu' || e.target === 'webgpu') return e.emitFused('Gelu', [x]);
    const cumulative = e.emit('Add', [
      e.emit('Erf', [e.emit('Mul', [x, e.float(Math.SQRT1_2, dtype)])]),
      e.float(1, dtype),
    ]);
    return e.emit('Mul', [e.emit('Mul', [x, e.float(0.5, dtype)]), cumulative]);
  },
  erf: plain('Erf'),
  cast: ({ attributes }, operands, e) => e.emit('Cast', operands, { to: dataTypes[attributes.dtype] }),
  add: plain('Add'),
  sub: plain('Sub'),
  mul: plain('Mul'),
  div: plain('Div'),
  less: plain('Less'),
  equal: plain('Equal'),
  where: plain('Where'),
  sum: reduction('ReduceSum'),
  max: reduction('ReduceMax'),
  reshape: ({ attributes }, [x = ''], e) => e.reshape(x, attributes.shape),
  transpose: ({ attributes }, operands, e) => e.emit('Transpose', operands, { perm: attributes.permutation }),
  expand: ({ attributes }, [x = ''], e) => e.emit('Expand', [x, e.integers(attributes.shape)]),
  slice: ({ attributes }, [x = ''], e) => e.slice(x, attributes.starts, attributes.ends),
  pad: ({ attributes }, [x = ''], e) =>
    e.emit('Pad', [x, e.integers([...attributes.before, ...attributes.after])]),
  concat: ({ attributes }, operands, e) => e.emit('Concat', operands, { axis: attributes.axis }),
  upsample: ({ attributes: { factor } }, [x = ''], e) => {
    const scales = e.constant(f32([4], [1, 1, factor, factor]));
    return e.emit('Resize', [x, '', scales], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    });
  },
  matmul: emitMatmul,
  gemm: emitGemm,
  conv2d: emitConv,
  conv2dInputGradient: emitConvInputGradient,
  conv2dWeightGradient: emitConvWeightGradient,
  softmax: (_, operands, e) => e.emit('Softmax', operands, { axis: -1 }),
  layerNorm: ({ attributes }, operands, e) =>
    e.emit('LayerNormalization', operands, { axis: -1, epsilon: { float: attributes.epsilon } }),
  groupNorm: emitGroupNorm,
  attention: emitAttention,
  attentionGradient: emitAttentionGradient,
  gather: (_, operands, e) => e.emit('Gather', operands, { axis: 0 }),
  scatterAdd: ({ shape, dtype }, [ids = '', updates = ''], e) =>
    e.emit('ScatterND', [e.floats(f32(shape), dtype), ids, updates], { reduction: 'add' }),
  barrier: emitBarrier,
  detach: plain('Identity'),
};
