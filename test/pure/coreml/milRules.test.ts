import { expect, it } from 'vitest';
import { BlobFile } from '../../../src-main/engine/coreml/blobFile.ts';
import { milModel } from '../../../src-main/engine/coreml/program.ts';
import { milTypes, type ModelProto } from '../../../src-main/engine/coreml/schema.ts';
import * as build from '../../../src-main/engine/graph/build.ts';
import { apply, constant, input, parameter } from '../../../src-main/engine/graph/build.ts';
import type { Graph } from '../../../src-main/engine/graph/graph.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import { f32 } from '../../../src-main/engine/tensor/tensor.ts';

function modelOf(graph: Graph, computes: 'f16' | 'f32' = 'f16'): ModelProto {
  const weights = (_: string, shape: readonly number[]) => f32(shape);
  return milModel(graph, { computes, weights, about: 'a test', features: {} }).proto;
}

/** A program as text, a line an operation without constants: `cast_0 fp16[2] = cast x dtype="fp16"`. */
function textOf(graph: Graph, computes: 'f16' | 'f32' = 'f16'): string[] {
  const { functions } = modelOf(graph, computes).mlProgram;
  const operations = functions['main']?.block_specializations['CoreML6']?.operations ?? [];
  const constants = new Map<string, string>();
  const nameOf = new Map(Object.entries(milTypes).map(([name, number]) => [number, name]));
  return operations.flatMap(({ type, inputs, outputs, attributes }) => {
    const [{ name, type: its } = { name: '', type: undefined }] = outputs;
    const shape = its?.tensorType.dimensions.map(({ constant: { size } }) => size).join() ?? '';
    const typeText = `${nameOf.get(its?.tensorType.dataType ?? 0)}[${shape}]`;
    if (type === 'const') {
      const { strings, ints, bools, floats, bytes } = attributes['val']?.immediateValue?.tensor ?? {};
      const list = strings?.values ?? ints?.values ?? bools?.values ?? floats?.values;
      const value =
        list?.map((one) => JSON.stringify(one)).join() ?? (bytes ? [...bytes.values].join('.') : typeText);
      constants.set(name, attributes['val']?.blobFileValue ? `${name}:${typeText}` : value);
      return [];
    }
    const words = Object.entries(inputs).map(
      ([key, { arguments: given }]) =>
        `${key}=${given.map((one) => constants.get(one.name) ?? one.name).join('|')}`,
    );
    return `${name} ${typeText} = ${[type, ...words].join(' ')}`;
  });
}

const x = input('x', [2, 4], 'f32');
const picture = input('x', [1, 4, 6, 6], 'f32');
/** The operation's own lines: without the cast of its input, and that of the result. */
const own = (y: Value): string[] => textOf({ outputs: { y } }, 'f32').slice(0, -1);

it('lowers each operation as coremltools defines it', () => {
  const table: Record<string, Value> = {
    neg: build.neg(x),
    exp: build.exp(x),
    reciprocal: build.reciprocal(x),
    silu: build.silu(x),
    quickGelu: build.quickGelu(x),
    gelu: build.gelu(x),
    where: build.where(build.less(x, 0), 0, x),
    sum: build.sum(x, [1], true),
    max: build.max(x, [0]),
    mean: build.mean(x, [1]),
    reshape: build.reshape(x, [4, 2]),
    transpose: build.transpose(x, [1, 0]),
    expand: build.expand(input('x', [4], 'f32'), [3, 4]),
    slice: build.slice(x, 1, 1, 3),
    pad: build.pad(x, [0, 1], [0, 2]),
    concat: build.concat([x, x], 1),
    upsample: build.upsample(picture, 2),
    matmul: build.matmul(x, x, { transB: true, scale: 0.5 }),
    linear: build.gemm(x, parameter('w', [3, 4]), false, true, parameter('b', [3])),
    gemm: build.gemm(x, x, true, false),
    conv: build.conv2d(picture, parameter('w', [8, 2, 3, 3]), parameter('b', [8]), {
      ...{ stride: [2, 2], padding: [0, 1, 2, 3], groups: 2 },
    }),
    softmax: build.softmax(x),
    layerNorm: build.layerNorm(x, parameter('g', [4]), parameter('b', [4]), 1e-5),
    groupNorm: build.groupNorm(picture, parameter('g', [4]), parameter('b', [4]), 2, 0.5),
    gather: build.gather(parameter('t', [9, 3]), input('x', [2], 'i64')),
    rows: build.add(x, build.slice(parameter('t', [9, 4]), 0, 3, 5)),
    attention: build.attention(
      input('x', [1, 3, 4], 'f32'),
      input('k', [1, 3, 4], 'f32'),
      input('v', [1, 3, 4], 'f32'),
      {
        ...{ heads: 2, scale: 0.5, causal: true },
      },
    ),
  };
  const text = Object.entries(table).map(([name, value]) => [
    `${name}:`,
    ...own(value).map((line) => `  ${line}`),
  ]);
  expect(text.flat()).toEqual([
    'neg:',
    '  mul_0 fp32[2,4] = mul x=x y=-1',
    'exp:',
    '  exp_0 fp32[2,4] = exp x=x',
    'reciprocal:',
    '  real_div_0 fp32[2,4] = real_div x=1 y=x',
    'silu:',
    '  silu_0 fp32[2,4] = silu x=x',
    'quickGelu:',
    '  mul_0 fp32[2,4] = mul x=x y=1.7020000219345093',
    '  sigmoid_0 fp32[2,4] = sigmoid x=mul_0',
    '  mul_1 fp32[2,4] = mul x=x y=sigmoid_0',
    'gelu:',
    '  gelu_0 fp32[2,4] = gelu x=x mode="EXACT"',
    'where:',
    '  less_0 bool[2,4] = less x=x y=0',
    '  select_0 fp32[2,4] = select cond=less_0 a=0 b=x',
    'sum:',
    '  reduce_sum_0 fp32[2,1] = reduce_sum x=x axes=1 keep_dims=true',
    'max:',
    '  reduce_max_0 fp32[4] = reduce_max x=x axes=0 keep_dims=false',
    'mean:',
    '  reduce_sum_0 fp32[2] = reduce_sum x=x axes=1 keep_dims=false',
    '  mul_0 fp32[2] = mul x=reduce_sum_0 y=0.25',
    'reshape:',
    '  reshape_0 fp32[4,2] = reshape x=x shape=4,2',
    'transpose:',
    '  transpose_0 fp32[4,2] = transpose x=x perm=1,0',
    'expand:',
    '  reshape_0 fp32[1,4] = reshape x=x shape=1,4',
    '  tile_0 fp32[3,4] = tile x=reshape_0 reps=3,1',
    'slice:',
    '  slice_by_index_0 fp32[2,2] = slice_by_index x=x begin=0,1 end=2,3',
    'pad:',
    '  pad_0 fp32[2,7] = pad x=x pad=0,0,1,2 mode="constant" constant_val=0',
    'concat:',
    '  concat_0 fp32[2,8] = concat values=x|x axis=1 interleave=false',
    'upsample:',
    '  upsample_nearest_neighbor_0 fp32[1,4,12,12] = upsample_nearest_neighbor x=x scale_factor_height=2 scale_factor_width=2',
    'matmul:',
    '  matmul_0 fp32[2,2] = matmul x=x y=x transpose_x=false transpose_y=true',
    '  mul_0 fp32[2,2] = mul x=matmul_0 y=0.5',
    'linear:',
    '  linear_0 fp32[2,3] = linear x=x weight=w:fp32[3,4] bias=0,0,0',
    'gemm:',
    '  matmul_0 fp32[4,4] = matmul x=x y=x transpose_x=true transpose_y=false',
    'conv:',
    '  conv_0 fp32[1,8,3,4] = conv x=x weight=w:fp32[8,2,3,3] strides=2,2 pad_type="custom" pad=0,2,1,3 dilations=1,1 groups=2 bias=0,0,0,0,0,0,0,0',
    'softmax:',
    '  softmax_0 fp32[2,4] = softmax x=x axis=-1',
    'layerNorm:',
    '  layer_norm_0 fp32[2,4] = layer_norm x=x axes=-1 gamma=0,0,0,0 beta=0,0,0,0 epsilon=0.000009999999747378752',
    'groupNorm:',
    '  reshape_0 fp32[1,2,2,6,6] = reshape x=x shape=1,2,2,6,6',
    '  reduce_mean_0 fp32[1,2,1,1,1] = reduce_mean x=reshape_0 axes=2,3,4 keep_dims=true',
    '  sub_0 fp32[1,2,2,6,6] = sub x=reshape_0 y=reduce_mean_0',
    '  square_0 fp32[1,2,2,6,6] = square x=sub_0',
    '  reduce_mean_1 fp32[1,2,1,1,1] = reduce_mean x=square_0 axes=2,3,4 keep_dims=true',
    '  add_0 fp32[1,2,1,1,1] = add x=reduce_mean_1 y=0.5',
    '  sqrt_0 fp32[1,2,1,1,1] = sqrt x=add_0',
    '  real_div_0 fp32[1,2,2,6,6] = real_div x=sub_0 y=sqrt_0',
    '  reshape_1 fp32[1,4,6,6] = reshape x=real_div_0 shape=1,4,6,6',
    '  mul_0 fp32[1,4,6,6] = mul x=reshape_1 y=0,0,0,0',
    '  add_1 fp32[1,4,6,6] = add x=mul_0 y=0,0,0,0',
    'gather:',
    '  gather_0 fp32[2,3] = gather x=t:fp32[9,3] indices=x axis=0 batch_dims=0',
    'rows:',
    '  add_0 fp32[2,4] = add x=x y=0,0,0,0,0,0,0,0',
    'attention:',
    '  reshape_0 fp32[1,3,2,2] = reshape x=x shape=1,3,2,2',
    '  transpose_0 fp32[1,2,3,2] = transpose x=reshape_0 perm=0,2,1,3',
    '  mul_0 fp32[1,2,3,2] = mul x=transpose_0 y=0.5',
    '  reshape_1 fp32[1,3,2,2] = reshape x=k shape=1,3,2,2',
    '  transpose_1 fp32[1,2,3,2] = transpose x=reshape_1 perm=0,2,1,3',
    '  reshape_2 fp32[1,3,2,2] = reshape x=v shape=1,3,2,2',
    '  transpose_2 fp32[1,2,3,2] = transpose x=reshape_2 perm=0,2,1,3',
    '  matmul_0 fp32[1,2,3,3] = matmul x=mul_0 y=transpose_1 transpose_x=false transpose_y=true',
    '  add_0 fp32[1,2,3,3] = add x=matmul_0 y=0,-10000,-10000,0,0,-10000,0,0,0',
    '  softmax_0 fp32[1,2,3,3] = softmax x=add_0 axis=-1',
    '  matmul_1 fp32[1,2,3,2] = matmul x=softmax_0 y=transpose_2 transpose_x=false transpose_y=false',
    '  transpose_3 fp32[1,3,2,2] = transpose x=matmul_1 perm=0,2,1,3',
    '  reshape_3 fp32[1,3,4] = reshape x=transpose_3 shape=1,3,4',
  ]);
});

it('computes in f16 but for the sines of a timestep, and gives f32', () => {
  const step = build.cast(input('step', [2], 'f16'), 'f32');
  const angles = build.mul(build.reshape(step, [2, 1]), constant(f32([1, 2], [1, 0.5])));
  const y = build.mul(build.sin(angles), build.cast(input('x', [2, 2], 'f16'), 'f32'));
  expect(textOf({ outputs: { y } })).toEqual([
    'cast_0 fp32[2] = cast x=step dtype="fp32"',
    'reshape_0 fp32[2,1] = reshape x=cast_0 shape=2,1',
    'mul_0 fp32[2,2] = mul x=reshape_0 y=1,0.5',
    'sin_0 fp32[2,2] = sin x=mul_0',
    'cast_1 fp16[2,2] = cast x=sin_0 dtype="fp16"',
    'mul_1 fp16[2,2] = mul x=cast_1 y=x',
    'y fp32[2,2] = cast x=mul_1 dtype="fp32"',
  ]);
});

it('keeps tokens in 32 bits: f16 holds no number above 65504, and few above 2048', () => {
  const ids = build.cast(input('ids', [1, 3]), 'i64');
  const text = textOf({ outputs: { y: build.gather(parameter('t', [50_000, 4]), ids) } });
  expect(text[0]).toBe('cast_0 int32[1,3] = cast x=ids dtype="int32"');
  expect(text[1]).toMatch(/^gather_0 fp16\[1,3,4\] = gather x=t:fp16\[50000,4\] indices=cast_0/);
});

it('refuses by name what only training has', () => {
  const gradient = apply('conv2dInputGradient', [picture, parameter('w', [4, 4, 3, 3])], {
    ...{ stride: [1, 1], padding: [1, 1, 1, 1], size: [6, 6] },
  });
  expect(() => modelOf({ outputs: { gradient } })).toThrow(
    'conv2dInputGradient has no counterpart in Core ML',
  );
});

it('gives every value a name of its own that MIL allows', () => {
  const weights = ['unet.a_b.c', 'unet.a.b_c'].map((name) => parameter(name, [4, 4]));
  const y = weights.reduce((sum, weight) => build.gemm(sum, weight, false, true), x);
  const { functions } = modelOf({ outputs: { y } }).mlProgram;
  const operations = functions['main']?.block_specializations['CoreML6']?.operations ?? [];
  const names = operations.flatMap(({ outputs }) => outputs.map(({ name }) => name));
  expect(names).toContain('unet_a_b_c');
  expect(names).toContain('unet_a_b_c_1');
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/);
});

it('stores a weight once in each type', () => {
  const weight = parameter('w', [4, 4]);
  const graph = { outputs: { y: build.gemm(build.gemm(x, weight, false, true), weight, false, true) } };
  const options = { weights: () => f32([4, 4]), about: '', features: {} };
  const { blobs } = milModel(graph, { ...options, computes: 'f16' });
  expect(Buffer.concat([...blobs.bytes()]).readUInt32LE(0)).toBe(1);
  expect(Buffer.concat([...new BlobFile().bytes()])).toHaveLength(64);
});
