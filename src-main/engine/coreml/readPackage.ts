import path from 'node:path';
import { readFileSync } from 'node:fs';
import * as build from '../graph/build.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/ops.ts';
import { f16ToF32 } from '../tensor/half.ts';
import { sameShape, type FileTensor, type Shape } from '../tensor/tensor.ts';
import { blobAt } from './blobFile.ts';
import { packageFiles } from './package.ts';
import {
  decodeModel,
  milTypes,
  type OperationProto,
  type ValueProto,
  type ValueTypeProto,
} from './schema.ts';

/** A package as a graph that computes all floats in f32. */
export interface ReadPackage {
  readonly graph: Graph;
  /** The graph's parameters in the package's `weight.bin`. */
  readonly weights: (name: string) => FileTensor | undefined;
  readonly tensors: number;
}

/** What a name stands for: a value of the graph, or what an operation is set by. */
type Item = Value | Setting;

interface Setting {
  readonly shape: Shape;
  readonly list: readonly (number | boolean | string)[];
}

/** The names of what a package is fed and gives. */
export function featuresOf(folder: string): string[] {
  const { input, output } = decodeModel(readFileSync(path.join(folder, packageFiles.model))).description;
  return [...input, ...output].map(({ name }) => name);
}

/**
 * Reads a package that this program wrote: its graph is made of what the file says, operation by operation, and every type that the
 * file declares is compared with the graph's. Throws at whatever is not as the writer makes it.
 */
export function readPackage(folder: string): ReadPackage {
  const { mlProgram } = decodeModel(readFileSync(path.join(folder, packageFiles.model)));
  const main = mlProgram.functions['main'];
  const block = main?.block_specializations[main.opset];
  if (!main || !block) throw new Error(`${folder} has no program`);
  const weightFile = path.join(folder, packageFiles.weights);
  const weights = new Map<string, FileTensor>();
  const items = new Map<string, Item>();
  for (const { name, type } of main.inputs) items.set(name, build.input(name, shapeOf(type), floatOr(type)));
  for (const operation of block.operations) {
    const [output] = operation.outputs;
    if (!output) throw new Error(`${operation.type} gives nothing`);
    const { name, type } = output;
    if (operation.type === 'const')
      items.set(name, constant(name, operation.attributes['val'], weightFile, weights));
    else items.set(name, checked(applied(operation, items), type, name));
  }
  const outputs = block.outputs.map((name) => [name, isValue(items.get(name), name)] as const);
  return {
    graph: { outputs: Object.fromEntries(outputs) },
    weights: (name) => weights.get(name),
    tensors: weights.size,
  };
}

const shapeOf = ({ tensorType }: ValueTypeProto): Shape =>
  tensorType.dimensions.map(({ constant }) => constant.size);

/** Floats are computed in f32, whatever the package says; integers and booleans are what they are. */
function floatOr({ tensorType: { dataType } }: ValueTypeProto): 'f32' | 'i64' | 'bool' {
  if (dataType === milTypes.int32) return 'i64';
  return dataType === milTypes.bool ? 'bool' : 'f32';
}

function constant(
  name: string,
  value: ValueProto | undefined,
  file: string,
  weights: Map<string, FileTensor>,
): Item {
  if (!value) throw new Error(`${name} has no value`);
  const shape = shapeOf(value.type);
  if (value.blobFileValue) {
    weights.set(name, blobAt(file, value.blobFileValue.offset, shape));
    return build.parameter(name, shape);
  }
  const { floats, bytes, ints, bools, strings } = value.immediateValue?.tensor ?? {};
  if (bytes) {
    const bits = new Uint16Array(Uint8Array.from(bytes.values).buffer);
    return build.constant({ dtype: 'f32', shape, data: f16ToF32(bits) });
  }
  if (floats) return build.constant({ dtype: 'f32', shape, data: Float32Array.from(floats.values) });
  // protobuf leaves out a list of nothing.
  return { shape, list: ints?.values ?? bools?.values ?? strings?.values ?? [] };
}

function isValue(item: Item | undefined, name: string): Value {
  if (item === undefined) throw new Error(`nothing is named ${name}`);
  if ('op' in item) return item;
  return build.integers(item.shape, item.list.map(Number));
}

function checked(value: Value, type: ValueTypeProto, name: string): Value {
  if (sameShape(value.shape, shapeOf(type)) && value.dtype === floatOr(type)) return value;
  throw new Error(`${name} is declared as another type than it has`);
}

/** An operation's inputs by MIL's names. */
interface Inputs {
  readonly value: (key: string) => Value;
  readonly values: (key: string) => Value[];
  readonly optional: (key: string) => Value | undefined;
  readonly numbers: (key: string) => number[];
  readonly number: (key: string) => number;
  readonly float: (key: string) => number;
  readonly flag: (key: string) => boolean;
  readonly text: (key: string) => string;
}

function applied({ type, inputs }: OperationProto, items: ReadonlyMap<string, Item>): Value {
  const operation = operations[type];
  if (!operation) throw new Error(`unknown operation ${type}`);
  const names = (key: string): string[] => inputs[key]?.arguments.map(({ name }) => name) ?? [];
  const first = (key: string): string => {
    const [name] = names(key);
    if (name === undefined) throw new Error(`${type} has no ${key}`);
    return name;
  };
  const setting = (key: string): readonly unknown[] => {
    const item = items.get(first(key));
    if (!item || 'op' in item) throw new Error(`${key} of ${type} is not constant`);
    return item.list;
  };
  return operation({
    value: (key) => isValue(items.get(first(key)), first(key)),
    values: (key) => names(key).map((name) => isValue(items.get(name), name)),
    optional: (key) => (inputs[key] ? isValue(items.get(first(key)), first(key)) : undefined),
    numbers: (key) => setting(key).map(Number),
    number: (key) => Number(setting(key)[0]),
    float: (key) => {
      const value = isValue(items.get(first(key)), first(key));
      if (value.op !== 'constant') throw new Error(`${key} of ${type} is not constant`);
      return Number(value.attributes.tensor.data[0]);
    },
    flag: (key) => setting(key)[0] === true,
    text: (key) => String(setting(key)[0]),
  });
}

const one =
  (make: (x: Value) => Value) =>
  ({ value }: Inputs): Value =>
    make(value('x'));

const two =
  (make: (x: Value, y: Value) => Value) =>
  ({ value }: Inputs): Value =>
    make(value('x'), value('y'));

const casts: Readonly<Record<string, 'f32' | 'i64' | 'bool'>> = {
  fp16: 'f32',
  fp32: 'f32',
  int32: 'i64',
  bool: 'bool',
};

/** Each MIL operation that the writer emits, as our own (coremltools' definitions: converters/mil/mil/ops/defs). */
const operations: Readonly<Record<string, (inputs: Inputs) => Value>> = {
  ...{
    exp: one(build.exp),
    sqrt: one(build.sqrt),
    square: one(build.square),
    sin: one(build.sin),
    cos: one(build.cos),
  },
  ...{ sigmoid: one(build.sigmoid), tanh: one(build.tanh), relu: one(build.relu), erf: one(build.erf) },
  ...{ silu: one(build.silu), identity: one((x) => x) },
  ...{ add: two(build.add), sub: two(build.sub), mul: two(build.mul), real_div: two(build.div) },
  ...{ less: two(build.less), equal: two(build.equal) },
  gelu: ({ value, text }) => {
    if (text('mode') !== 'EXACT') throw new Error('this gelu is an approximation');
    return build.gelu(value('x'));
  },
  cast: ({ value, text }) => {
    const dtype = casts[text('dtype')];
    if (!dtype) throw new Error(`a cast to ${text('dtype')}`);
    return build.cast(value('x'), dtype);
  },
  select: ({ value }) => build.where(value('cond'), value('a'), value('b')),
  reduce_sum: ({ value, numbers, flag }) => build.sum(value('x'), numbers('axes'), flag('keep_dims')),
  reduce_max: ({ value, numbers, flag }) => build.max(value('x'), numbers('axes'), flag('keep_dims')),
  reduce_mean: ({ value, numbers, flag }) => build.mean(value('x'), numbers('axes'), flag('keep_dims')),
  reshape: ({ value, numbers }) => build.reshape(value('x'), numbers('shape')),
  transpose: ({ value, numbers }) => build.transpose(value('x'), numbers('perm')),
  tile: ({ value, numbers }) => {
    const x = value('x');
    const reps = numbers('reps');
    if (reps.some((count, axis) => count > 1 && x.shape[axis] !== 1))
      throw new Error('tile repeats more than one');
    return build.expand(
      x,
      x.shape.map((size, axis) => size * (reps[axis] as number)),
    );
  },
  slice_by_index: ({ value, numbers }) => {
    const [starts, ends] = [numbers('begin'), numbers('end')];
    return starts.reduce((x, start, axis) => build.slice(x, axis, start, ends[axis] as number), value('x'));
  },
  pad: ({ value, numbers }) => {
    const sizes = numbers('pad');
    const every = (offset: number): number[] => sizes.filter((_, i) => i % 2 === offset);
    return build.pad(value('x'), every(0), every(1));
  },
  concat: ({ values, number }) => build.concat(values('values'), number('axis')),
  upsample_nearest_neighbor: ({ value, float }) => build.upsample(value('x'), float('scale_factor_height')),
  matmul: ({ value, flag }) =>
    build.matmul(value('x'), value('y'), { transA: flag('transpose_x'), transB: flag('transpose_y') }),
  linear: ({ value, optional }) => build.gemm(value('x'), value('weight'), false, true, optional('bias')),
  conv: ({ value, optional, numbers, number }) => {
    const [down = 1, across = 1] = numbers('strides');
    const [top = 0, bottom = 0, left = 0, right = 0] = numbers('pad');
    const groups = number('groups');
    return build.conv2d(value('x'), value('weight'), optional('bias'), {
      ...{ stride: [down, across], padding: [top, left, bottom, right] },
      ...(groups > 1 && { groups }),
    });
  },
  softmax: ({ value, number }) => {
    if (number('axis') !== -1) throw new Error('softmax is over another axis than the last');
    return build.softmax(value('x'));
  },
  layer_norm: ({ value, float }) =>
    build.layerNorm(value('x'), value('gamma'), value('beta'), float('epsilon')),
  gather: ({ value }) => build.gather(value('x'), value('indices')),
};
