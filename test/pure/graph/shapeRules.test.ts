import { describe, expect, it } from 'vitest';
import * as g from '../../../src-main/engine/graph/build.ts';
import type { Op, Value } from '../../../src-main/engine/graph/ops.ts';
import { f32, i64, type DType, type Shape } from '../../../src-main/engine/tensor/tensor.ts';

let count = 0;
const x = (...shape: number[]): Value => g.input(`x${count++}`, shape);
const ids = (...shape: number[]): Value => g.input(`x${count++}`, shape, 'i64');
const truth = (...shape: number[]): Value => g.input(`x${count++}`, shape, 'bool');

interface Rules {
  /** What is built, and the type it must get: "f32[2,3]". */
  readonly good: readonly (readonly [make: () => Value, type: string])[];
  /** What must not be built, and a word of the complaint. */
  readonly bad: readonly (readonly [make: () => Value, complaint: string])[];
}

const elementwise = (make: (value: Value) => Value): Rules => ({
  good: [[() => make(x(2, 3)), 'f32[2,3]']],
  bad: [],
});

const broadcasting = (make: (a: Value, b: Value) => Value, dtype: DType = 'f32'): Rules => ({
  good: [
    [() => make(x(2, 3), x(2, 3)), `${dtype}[2,3]`],
    [() => make(x(4, 1, 3), x(2, 1)), `${dtype}[4,2,3]`],
    [() => make(x(), x(2)), `${dtype}[2]`],
  ],
  bad: [
    [() => make(x(2, 3), x(2)), 'do not broadcast'],
    [() => make(x(2, 3), x(3, 3)), 'do not broadcast'],
    [() => make(x(2), ids(2)), 'differ in type'],
  ],
});

const reduction = (op: 'sum' | 'max'): Rules => ({
  good: [
    [() => g.apply(op, [x(2, 3, 4)], { axes: [0, 2], keepDims: false }), 'f32[3]'],
    [() => g.apply(op, [x(2, 3, 4)], { axes: [0, 2], keepDims: true }), 'f32[1,3,1]'],
    [() => g[op](x(2, 3)), 'f32[]'],
    [() => g[op](x(2, 3), [-1]), 'f32[2]'],
  ],
  bad: [
    [() => g.apply(op, [x(2, 3)], { axes: [2], keepDims: false }), 'out of range'],
    [() => g.apply(op, [x(2, 3)], { axes: [-1], keepDims: false }), 'out of range'],
    [() => g.apply(op, [x(2, 3)], { axes: [1, 1], keepDims: false }), 'out of range'],
  ],
});

const one = { stride: [1, 1], padding: [1, 1, 1, 1] } as const;
const half = { stride: [2, 2], padding: [0, 0, 1, 1] } as const;
const attend = (q: Value, k: Value, v: Value, heads: number): Value =>
  g.attention(q, k, v, { heads, scale: 1, causal: false });
const attendGradient = (q: Value, k: Value, gradient: Value): Value =>
  g.apply('attentionGradient', [q, k, k, q, gradient], { heads: 2, scale: 1, causal: false, block: 8 });

const rules: { readonly [K in Op]: Rules } = {
  input: { good: [[() => g.input('x', [2], 'u8'), 'u8[2]']], bad: [] },
  parameter: { good: [[() => g.parameter('x', [2], 'f16'), 'f16[2]']], bad: [] },
  constant: {
    good: [[() => g.constant(i64([2], [3, 4])), 'i64[2]']],
    bad: [[() => g.constant(f32([2], [1, 2, 3])), 'does not fill']],
  },
  neg: elementwise(g.neg),
  exp: elementwise(g.exp),
  log: elementwise(g.log),
  sqrt: elementwise(g.sqrt),
  reciprocal: elementwise(g.reciprocal),
  sigmoid: elementwise(g.sigmoid),
  tanh: elementwise(g.tanh),
  relu: elementwise(g.relu),
  sin: elementwise(g.sin),
  cos: elementwise(g.cos),
  swish: elementwise(g.silu),
  gelu: elementwise(g.gelu),
  erf: elementwise(g.erf),
  cast: { good: [[() => g.cast(x(2, 3), 'f16'), 'f16[2,3]']], bad: [] },
  add: broadcasting(g.add),
  sub: broadcasting(g.sub),
  mul: broadcasting(g.mul),
  div: broadcasting(g.div),
  less: broadcasting(g.less, 'bool'),
  equal: broadcasting(g.equal, 'bool'),
  where: {
    good: [[() => g.where(truth(2, 1), x(3), x(1, 3)), 'f32[2,3]']],
    bad: [
      [() => g.where(x(2), x(2), x(2)), 'wants bool'],
      [() => g.where(truth(2), x(2), ids(2)), 'of one type'],
      [() => g.where(truth(2), x(3), x(3)), 'do not broadcast'],
    ],
  },
  sum: reduction('sum'),
  max: reduction('max'),
  reshape: {
    good: [
      [() => g.reshape(x(2, 6), [3, -1]), 'f32[3,4]'],
      [() => g.reshape(x(1, 1), []), 'f32[]'],
    ],
    bad: [
      [() => g.reshape(x(2, 6), [5]), 'cannot reshape to [5]'],
      [() => g.reshape(x(2, 6), [5, -1]), 'cannot reshape'],
    ],
  },
  transpose: {
    good: [[() => g.transpose(x(2, 3, 4), [2, 0, 1]), 'f32[4,2,3]']],
    bad: [
      [() => g.transpose(x(2, 3), [1, 1]), 'no permutation'],
      [() => g.transpose(x(2, 3), [0]), 'no permutation'],
    ],
  },
  expand: {
    good: [[() => g.expand(x(2, 1), [4, 2, 3]), 'f32[4,2,3]']],
    bad: [
      [() => g.expand(x(2, 3), [2, 1]), 'cannot expand'],
      [() => g.expand(x(2, 3), [2, 4]), 'do not broadcast'],
    ],
  },
  slice: {
    good: [[() => g.slice(x(4, 3), 0, 1, 3), 'f32[2,3]']],
    bad: [
      [() => g.slice(x(4, 3), 0, 1, 5), 'cannot slice'],
      [() => g.slice(x(4, 3), 0, 2, 2), 'cannot slice'],
      [() => g.apply('slice', [x(4, 3)], { starts: [0], ends: [2] }), 'cannot slice'],
    ],
  },
  pad: {
    good: [[() => g.pad(x(2, 3), [1, 0], [2, 1]), 'f32[5,4]']],
    bad: [
      [() => g.pad(x(2, 3), [1], [1]), 'wants every axis'],
      [() => g.pad(x(2, 3), [-1, 0], [0, 0]), 'wants every axis'],
    ],
  },
  concat: {
    good: [[() => g.concat([x(2, 3), x(2, 1)], 1), 'f32[2,4]']],
    bad: [
      [() => g.concat([x(2, 3), x(3, 3)], 1), 'cannot join'],
      [() => g.concat([x(2, 3), ids(2, 3)], 1), 'cannot join'],
      [() => g.concat([x(2, 3), x(2)], 0), 'cannot join'],
      [() => g.apply('concat', [x(2), x(2)], { axis: 1 }), 'cannot join'],
    ],
  },
  upsample: {
    good: [[() => g.upsample(x(1, 2, 3, 4), 2), 'f32[1,2,6,8]']],
    bad: [[() => g.upsample(x(3, 4), 2), 'wants [b,c,h,w]']],
  },
  matmul: {
    good: [
      [() => g.matmul(x(3, 4), x(4, 2)), 'f32[3,2]'],
      [() => g.matmul(x(5, 1, 4, 3), x(2, 2, 4), { transA: true, transB: true }), 'f32[5,2,3,2]'],
    ],
    bad: [
      [() => g.matmul(x(3, 4), x(3, 2)), 'do not fit'],
      [() => g.matmul(x(3, 4), x(4, 2), { transB: true }), 'do not fit'],
      [() => g.matmul(x(4), x(4, 2)), 'do not fit'],
      [() => g.matmul(x(2, 3, 4), x(3, 4, 2)), 'do not broadcast'],
      [() => g.matmul(x(3, 4), ids(4, 2)), 'differ in type'],
    ],
  },
  gemm: {
    good: [
      [() => g.gemm(x(4, 3), x(2, 4), true, true, x(2)), 'f32[3,2]'],
      [() => g.gemm(x(3, 4), x(4, 2)), 'f32[3,2]'],
    ],
    bad: [
      [() => g.gemm(x(3, 4), x(3, 2)), 'do not fit'],
      [() => g.gemm(x(1, 3, 4), x(4, 2)), 'do not fit'],
      [() => g.gemm(x(3, 4), x(4, 2), false, false, x(3)), 'bias does not fit'],
      [() => g.gemm(x(3, 4), ids(4, 2)), 'differ in type'],
    ],
  },
  conv2d: {
    good: [
      [() => g.conv2d(x(2, 3, 5, 4), x(6, 3, 3, 3), x(6), one), 'f32[2,6,5,4]'],
      [() => g.conv2d(x(1, 2, 6, 7), x(3, 2, 3, 3), undefined, half), 'f32[1,3,3,3]'],
      [() => g.conv2d(x(1, 4, 5, 4), x(6, 2, 3, 3), x(6), { ...one, groups: 2 }), 'f32[1,6,5,4]'],
    ],
    bad: [
      [() => g.conv2d(x(2, 3, 5, 4), x(6, 4, 3, 3), undefined, one), 'channels do not fit'],
      [() => g.conv2d(x(2, 4, 5, 4), x(6, 4, 3, 3), undefined, { ...one, groups: 2 }), 'channels do not fit'],
      [() => g.conv2d(x(2, 4, 5, 4), x(5, 2, 3, 3), undefined, { ...one, groups: 2 }), 'channels do not fit'],
      [() => g.conv2d(x(3, 5, 4), x(6, 3, 3, 3), undefined, one), 'channels do not fit'],
      [() => g.conv2d(x(2, 3, 5, 4), x(6, 3, 3, 3), x(5), one), 'bias does not fit'],
      [
        () => g.conv2d(x(1, 1, 2, 2), x(1, 1, 3, 3), undefined, { ...one, padding: [0, 0, 0, 0] }),
        'larger than',
      ],
    ],
  },
  conv2dInputGradient: {
    good: [
      [
        () => g.apply('conv2dInputGradient', [x(1, 3, 3, 3), x(3, 2, 3, 3)], { ...half, size: [6, 7] }),
        'f32[1,2,6,7]',
      ],
    ],
    bad: [
      [
        () => g.apply('conv2dInputGradient', [x(1, 3, 3, 3), x(3, 2, 3, 3)], { ...half, size: [9, 7] }),
        'does not fit',
      ],
      [
        () => g.apply('conv2dInputGradient', [x(1, 4, 3, 3), x(3, 2, 3, 3)], { ...half, size: [6, 7] }),
        'does not fit',
      ],
    ],
  },
  conv2dWeightGradient: {
    good: [
      [
        () => g.apply('conv2dWeightGradient', [x(1, 2, 6, 7), x(1, 3, 3, 3)], { ...half, kernel: [3, 3] }),
        'f32[3,2,3,3]',
      ],
    ],
    bad: [
      [
        () => g.apply('conv2dWeightGradient', [x(1, 2, 6, 7), x(1, 3, 3, 3)], { ...half, kernel: [5, 5] }),
        'does not fit',
      ],
      [
        () => g.apply('conv2dWeightGradient', [x(2, 2, 6, 7), x(1, 3, 3, 3)], { ...half, kernel: [3, 3] }),
        'does not fit',
      ],
    ],
  },
  softmax: { good: [[() => g.softmax(x(2, 3)), 'f32[2,3]']], bad: [[() => g.softmax(x()), 'axis']] },
  layerNorm: {
    good: [[() => g.layerNorm(x(2, 3, 4), x(4), x(4), 1e-5), 'f32[2,3,4]']],
    bad: [
      [() => g.layerNorm(x(2, 3, 4), x(3), x(4), 1e-5), 'do not fit'],
      [() => g.layerNorm(x(2, 3, 4), x(4), x(1), 1e-5), 'do not fit'],
    ],
  },
  groupNorm: {
    good: [[() => g.groupNorm(x(2, 6, 3, 3), x(6), x(6), 3, 1e-5), 'f32[2,6,3,3]']],
    bad: [
      [() => g.groupNorm(x(2, 6, 3, 3), x(6), x(6), 4, 1e-5), 'do not divide'],
      [() => g.groupNorm(x(2, 6, 3, 3), x(3), x(6), 3, 1e-5), 'do not fit'],
    ],
  },
  attention: {
    good: [[() => attend(x(2, 5, 6), x(2, 3, 6), x(2, 3, 6), 2), 'f32[2,5,6]']],
    bad: [
      [() => attend(x(2, 5, 6), x(2, 3, 6), x(2, 3, 6), 4), 'do not fit'],
      [() => attend(x(2, 5, 6), x(2, 3, 6), x(2, 4, 6), 2), 'do not fit'],
      [() => attend(x(2, 5, 6), x(1, 3, 6), x(1, 3, 6), 2), 'do not fit'],
      [() => attend(x(5, 6), x(3, 6), x(3, 6), 2), 'do not fit'],
    ],
  },
  attentionGradient: {
    good: [[() => attendGradient(x(2, 5, 6), x(2, 3, 6), x(2, 5, 6)), 'f32[2,11,6]']],
    bad: [
      [() => attendGradient(x(2, 5, 6), x(2, 3, 6), x(2, 3, 6)), 'does not fit'],
      [() => attendGradient(x(2, 5, 6), x(1, 3, 6), x(2, 5, 6)), 'do not fit'],
    ],
  },
  gather: {
    good: [[() => g.gather(x(9, 4), ids(2, 7)), 'f32[2,7,4]']],
    bad: [
      [() => g.gather(x(9, 4), x(2)), 'i64 ids'],
      [() => g.gather(x(9), ids(2)), 'wants a table'],
    ],
  },
  scatterAdd: {
    good: [[() => g.scatterAdd(ids(2, 7), x(2, 7, 4), 9), 'f32[9,4]']],
    bad: [
      [() => g.scatterAdd(ids(2, 7), x(2, 6, 4), 9), 'do not fit'],
      [() => g.scatterAdd(x(2), x(2, 4), 9), 'do not fit'],
    ],
  },
  barrier: { good: [[() => g.barrier(ids(2, 3), x(4)), 'i64[2,3]']], bad: [] },
  detach: { good: [[() => g.detach(x(2, 3)), 'f32[2,3]']], bad: [] },
};

const leafOps = new Set(['input', 'parameter', 'constant']);

describe.each(Object.entries(rules) as [Op, Rules][])('%s', (op, { good, bad }) => {
  it.each(good.map(([make, type]) => [type, make] as const))('is %s', (type, make) => {
    const value = make();
    expect(value.op).toBe(op);
    expect(typeText(value)).toBe(type);
  });

  it.runIf(bad.length).each(bad.map(([make, complaint], i) => [complaint, i, make] as const))(
    'complains: %s (%i)',
    (complaint, _, make) => {
      expect(make).toThrow(complaint);
    },
  );

  it.skipIf(leafOps.has(op))('wants its operands', () => {
    const [first] = good[0] as (typeof good)[number];
    const { attributes } = first();
    expect(() => void Reflect.apply(g.apply, undefined, [op, [], attributes])).toThrow(
      'operand 0 is missing',
    );
  });
});

function typeText({ dtype, shape }: { dtype: DType; shape: Shape }): string {
  return `${dtype}[${shape.join()}]`;
}
