import { topological, type Graph } from '../graph/graph.ts';
import { halfTypeOf } from '../graph/mixedPrecision.ts';
import type { HalfType } from '../../../src-shared/domain/precision.ts';
import type { Node, Op, Value } from '../graph/ops.ts';
import { elementCount, type DType, type HostTensor, type Shape } from '../tensor/tensor.ts';
import { dataTypes, Emitter, valueInfo, type Target } from './emitter.ts';
import { onnxRules } from './onnxRules.ts';
import { encodeModel, type ModelProto, type NodeProto, type ValueInfoProto } from './schema.ts';

/** Where a weight's bytes lie, relative to the folder of the `.onnx` file. */
export interface ExternalTensor {
  readonly location: string;
  readonly offset: number;
  readonly byteLength: number;
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface OnnxOptions {
  readonly target: Target;
  /** The stored weight of a name; a parameter without one becomes a graph input. */
  readonly weights?: (name: string) => ExternalTensor | HostTensor | undefined;
  /**
   * Declares the target shapes of reshapes as inputs with a default, so that no runtime knows sizes before a run. Otherwise ONNX
   * Runtime gives values of one shape a common buffer, and holds it from the first use to the last. Not even how many axes there are
   * may be known: it would compare each value with every earlier one in vain, seconds for a thousand operations.
   */
  readonly hideShapes?: boolean;
  /** Attention as one operation on WebGPU: only where it came out right on this very device. */
  readonly fusedAttention?: boolean;
  /** Weights of another type are cast once, before the first run, not where they are used. */
  readonly castsFirst?: boolean;
  /** The type that weights from files are kept in where the graph is in f32: they are cast where they are used. */
  readonly storedIn?: HalfType;
  /** Name of a first output that is a sequence, beside the graph's. */
  readonly sequence?: string;
}

/**
 * ONNX operator set 20, IR version 9: understood by every runtime since early 2024.
 *
 * For ONNX Runtime the node list is written last node first. It schedules by depth-first search from the results,
 * the highest node index first, so a reversed list is computed in the order of creation, each value as late as
 * possible; in list order all weight gradients would wait for the end and keep every activation alive.
 */
export function onnxModel(graph: Graph, options: OnnxOptions): Uint8Array {
  return encodeModel(modelProto(graph, options));
}

/** The model before it is written. */
export function modelProto(
  graph: Graph,
  {
    target,
    weights = () => undefined,
    hideShapes = false,
    fusedAttention = false,
    castsFirst = false,
    storedIn,
    sequence,
  }: OnnxOptions,
): ModelProto {
  const order = topological(Object.values(graph.outputs));
  const learns = order.some(({ op }) => op === 'attentionGradient');
  const e = new Emitter(target, '', fusedAttention && target === 'webgpu', learns);
  const inputs: Value[] = [];
  const names = new Map<Value, string>();
  const bind = (value: Value): string => {
    const piece = pieceOfWeight(value, weights);
    if (piece) return initializer(value, `${piece.name}[${piece.stored.offset}]`, piece.stored, e, storedIn);
    if (value.op === 'input' || value.op === 'parameter') {
      const stored = value.op === 'parameter' ? weights(value.attributes.name) : undefined;
      if (stored) return initializer(value, value.attributes.name, stored, e, storedIn);
      inputs.push(value);
      return value.attributes.name;
    }
    const [table] = value.inputs;
    const rows = value.op === 'gather' && !folded && table && e.castWeights.get(names.get(table) as string);
    // Of a table that is cast, the rows alone.
    if (rows)
      return e.emit('Cast', [lower(value, [rows.from, ...value.inputs.slice(1).map(operandName)], e)], {
        to: dataTypes[value.dtype],
      });
    return lower(value as Node<Op>, value.inputs.map(operandName), e);
  };
  // On a device a weight of another type is cast where it is used and gone afterwards: kept for the backward pass, the casts of
  // all weights would take more than the weights. On the CPU, and in mixed precision, they are folded once.
  const half = halfTypeOf(graph);
  const folded = target === 'cpu' || target === 'portable' || half !== undefined || castsFirst;
  const operandName = (operand: Value): string => {
    const name = names.get(operand) as string;
    return !folded && e.castWeights.has(name) ? e.castAgain(name) : name;
  };
  for (const value of order) names.set(value, bind(value));

  const outputs = Object.entries(graph.outputs);
  const isResult = new Set(outputs.map(([, value]) => names.get(value)));
  const isMade = (name = ''): boolean => e.castWeights.has(name) || e.madeOfWeights.has(name);
  // The last node first: what is left out reads nothing.
  const isRead = new Set<string>();
  for (let at = e.nodes.length - 1; at >= 0; at--) {
    const { input, output } = e.nodes[at] as NodeProto;
    const [name = ''] = output;
    if (isMade(name) && !isRead.has(name) && !isResult.has(name)) e.nodes.splice(at, 1);
    else for (const one of input) isRead.add(one);
  }
  for (const [name, value] of outputs) {
    nameOutput(names.get(value) as string, name, e.nodes);
    names.set(value, name);
  }
  const fed = inputs.map((value) =>
    valueInfo((value as Node<'input'>).attributes.name, value.dtype, value.shape),
  );
  const shapes = [...(hideShapes ? e.shapes : []), ...e.lateShapes].map((name) => ({
    name,
    type: { tensor_type: { elem_type: dataTypes.i64, shape: { dim: [{ dim_param: 'axes' }] } } },
  }));
  const declared: ValueInfoProto[] = outputs.map(([name, value]) =>
    valueInfo(name, value.dtype, value.shape),
  );
  if (sequence) {
    const { type } = valueInfo('', 'f32', []);
    declared.unshift({ name: sequence, type: { sequence_type: { elem_type: type } } });
    const node = { name: sequence, op_type: 'SequenceConstruct', domain: '', attribute: [] };
    e.nodes.push({ ...node, input: [e.float(0)], output: [sequence] });
  }
  const fused = target === 'portable' || target === 'device' ? [] : [{ domain: 'com.microsoft', version: 1 }];
  return {
    ir_version: 9,
    producer_name: 'likeness',
    // Convolutions know bf16 from 22 on.
    opset_import: [{ domain: '', version: half === 'bf16' ? 22 : 20 }, ...fused],
    graph: {
      name: 'likeness',
      node: target === 'portable' ? e.nodes : e.nodes.reverse(),
      initializer: e.initializers,
      input: [...fed, ...shapes],
      output: declared,
      value_info: e.known,
    },
  };
}

/**
 * An initializer with the weight's values or its place in a file; other float types are cast to the graph's. `storedIn`: see
 * `OnnxOptions`; vectors are small, and stay as they are.
 */
function initializer(
  value: Value,
  name: string,
  stored: ExternalTensor | HostTensor,
  e: Emitter,
  storedIn?: HalfType,
): string {
  const { dtype, shape } = stored;
  const bound = 'data' in stored ? e.constant(stored) : external(name, stored, e);
  const reshaped = shape.join() === value.shape.join() ? bound : e.reshape(bound, value.shape);
  if (storedIn && value.dtype === 'f32' && value.shape.length > 1 && !('data' in stored)) {
    const kept = dtype === storedIn ? reshaped : e.emit('Cast', [reshaped], { to: dataTypes[storedIn] });
    const flat = e.late(kept, storedIn, elementCount(value.shape));
    e.madeOfWeights.add(kept).add(flat);
    return e.castWeight(kept, value.dtype, value.shape, flat);
  }
  return dtype === value.dtype ? reshaped : e.castWeight(reshaped, value.dtype, value.shape);
}

/** Rows of a stored weight are contiguous in its file, so a slice of them needs no copy. */
function pieceOfWeight(
  value: Value,
  weights: NonNullable<OnnxOptions['weights']>,
): { name: string; stored: ExternalTensor } | undefined {
  const [source] = value.inputs;
  if (value.op !== 'slice' || source?.op !== 'parameter') return undefined;
  const stored = weights(source.attributes.name);
  const { starts, ends } = value.attributes;
  const rowsOnly = source.shape.every(
    (size, axis) => axis === 0 || (starts[axis] === 0 && ends[axis] === size),
  );
  if (!stored || 'data' in stored || !rowsOnly) return undefined;
  const rowBytes = stored.byteLength / (source.shape[0] as number);
  const [from = 0, rows = 0] = [starts[0], value.shape[0]];
  const place = { offset: stored.offset + from * rowBytes, byteLength: rows * rowBytes, shape: value.shape };
  return { name: source.attributes.name, stored: { ...stored, ...place } };
}

function external(
  name: string,
  { location, offset, byteLength, dtype, shape }: ExternalTensor,
  e: Emitter,
): string {
  const external_data = [
    { key: 'location', value: location },
    { key: 'offset', value: String(offset) },
    { key: 'length', value: String(byteLength) },
  ];
  e.initializers.push({ name, dims: shape, data_type: dataTypes[dtype], data_location: 1, external_data });
  return name;
}

/** Renames the result `from` to the output `name`; a leaf, or a second name for one value, needs a copy. */
function nameOutput(from: string, name: string, nodes: NodeProto[]): void {
  const maker = nodes.findIndex((node) => node.output[0] === from);
  const made = nodes[maker];
  if (!made || !/^v\d+$/.test(from)) {
    nodes.push({
      input: [from],
      output: [name],
      name: `return ${name}`,
      op_type: 'Identity',
      domain: '',
      attribute: [],
    });
    return;
  }
  nodes[maker] = { ...made, output: [name] };
  nodes.forEach((node, i) => {
    if (node.input.includes(from))
      nodes[i] = { ...node, input: node.input.map((x) => (x === from ? name : x)) };
  });
}

function lower<K extends Op>(node: Node<K>, operands: readonly string[], e: Emitter): string {
  return onnxRules[node.op](node, operands, e);
}
