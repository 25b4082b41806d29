import { i64 } from '../tensor/tensor.ts';
import { dataTypes } from './emitter.ts';
import type { ModelProto, NodeProto, TensorProto, ValueInfoProto } from './schema.ts';

const primes = [1009, 1013, 1019, 1021, 1031, 1033];
/** ONNX's Slice stops at the end by itself. */
const toTheEnd = 2 ** 31 - 1;

/**
 * The batch size for building a graph that will take any: a prime that divides none of these sizes, so that it can be recognised
 * in shapes.
 */
export function standInBatch(sizes: Iterable<number>): number {
  const all = [...sizes];
  const prime = primes.find((candidate) => all.every((size) => size % candidate !== 0));
  if (prime === undefined) throw new Error('no batch size can be told from the sizes of the weights');
  return prime;
}

/**
 * Makes a model that was built for `batch` take batches of any size: multiples of it in shapes and slices are left open. Throws an
 * Error where the batch is part of anything else.
 */
export function withAnyBatch(model: ModelProto, batch: number): ModelProto {
  const { graph } = model;
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const added = new Map<string, TensorProto>();
  const isOpen = (size: number): boolean => size > 0 && size % batch === 0;
  const integers = (name: string | undefined): number[] | undefined => {
    const tensor = name === undefined ? undefined : constants.get(name);
    if (tensor?.data_type !== dataTypes.i64 || !tensor.raw_data) return undefined;
    const { buffer, byteOffset, byteLength } = tensor.raw_data;
    return Array.from(new BigInt64Array(buffer.slice(byteOffset, byteOffset + byteLength)), Number);
  };
  const constant = (values: readonly number[]): string => {
    const name = `open_${values.join('_')}`;
    const { data, shape } = i64([values.length], [...values]);
    const raw_data = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    added.set(name, { name, dims: shape, data_type: dataTypes.i64, raw_data });
    return name;
  };
  const node = (one: NodeProto): NodeProto => {
    // A reshape has at most one -1. Where it is used elsewhere, 0 keeps the size.
    const place = { Reshape: 1, Slice: 2 }[one.op_type];
    const input = one.input.map((name, i) => {
      const values = integers(name);
      if (!values?.some(isOpen)) return name;
      if (i !== place) throw new Error(`the batch is in ${one.op_type} ${one.name}`);
      const open = one.op_type === 'Slice' ? toTheEnd : values.includes(-1) ? 0 : -1;
      if (open !== toTheEnd && values.filter(isOpen).length > 1)
        throw new Error(`the batch is in two axes of ${one.name}`);
      return constant(values.map((value) => (isOpen(value) ? open : value)));
    });
    return { ...one, input };
  };
  const value = (info: ValueInfoProto): ValueInfoProto => {
    if (!('tensor_type' in info.type)) return info;
    const { elem_type, shape } = info.type.tensor_type;
    const dim = shape.dim.map((size) =>
      'dim_value' in size && isOpen(size.dim_value) ? { dim_param: 'batch' } : size,
    );
    return { ...info, type: { tensor_type: { elem_type, shape: { dim } } } };
  };
  const stray = graph.initializer.find(({ dims, raw_data }) => raw_data && dims.some(isOpen));
  if (stray) throw new Error(`the batch is in ${stray.name}`);
  const nodes = graph.node.map(node);
  return {
    ...model,
    graph: {
      ...graph,
      node: nodes,
      initializer: [...graph.initializer, ...added.values()],
      input: graph.input.map(value),
      output: graph.output.map(value),
    },
  };
}
