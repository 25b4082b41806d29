import { elementCount } from '../tensor/tensor.ts';
import { nodeTypes, type NodeType } from './nodeShapes.ts';
import { keptBuffers, takenFor, type BufferUse } from './keptBuffers.ts';
import type { GraphProto, NodeProto } from './schema.ts';
import { entryOf } from '../../../src-shared/entryOf.ts';

/** Bytes that a graph takes on a device. */
export interface GraphMemory {
  /** Weights, constants and what is fed; on WebGPU as its allocator rounds them up. */
  readonly held: number;
  /** The peak of the computed values, each of which lives from its node to its last user. */
  readonly live: number;
  /** What WebGPU takes for them, and keeps after a run (`keptBuffers`). */
  readonly cached: number;
}

/**
 * The order in which ONNX Runtime computes a graph's nodes: depth-first from the results, the highest node index first
 * (`GraphViewer`: `ReverseDFSFrom` with `NodeCompare`).
 */
function runtimeOrder({ node: nodes }: Pick<GraphProto, 'node'>): NodeProto[] {
  const makers = new Map<string, number>();
  nodes.forEach(({ output }, index) => {
    for (const name of output) makers.set(name, index);
  });
  const before = nodes.map(({ input }) =>
    [...new Set(input.flatMap((name) => makers.get(name) ?? []))].sort((a, b) => a - b),
  );
  const used = new Set(before.flat());
  const pending = nodes.flatMap((_, index) => (used.has(index) ? [] : [{ index, leaves: false }]));
  const seen = new Set<number>();
  const order: NodeProto[] = [];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { index, leaves } = next;
    if (leaves) order.push(nodes[index] as NodeProto);
    if (leaves || seen.has(index)) continue;
    seen.add(index);
    pending.push({ index, leaves: true });
    for (const operand of before[index] ?? [])
      if (!seen.has(operand)) pending.push({ index: operand, leaves: false });
  }
  return order;
}

/** TensorProto.DataType to bytes. */
const sizes: Readonly<Record<number, number>> = { 1: 4, 2: 1, 6: 4, 7: 8, 9: 1, 10: 2, 16: 2 };
const bytesOf = ({ shape, type }: NodeType): number => elementCount(shape) * (sizes[type] ?? 4);

const aliases = new Set(['Reshape', 'Flatten', 'Identity']);
/** Kernels that write over an operand nobody else will read; WebGPU's never do. */
const inPlace = new Set([
  ...['Neg', 'Exp', 'Log', 'Sqrt', 'Reciprocal', 'Sigmoid', 'Tanh', 'Relu', 'Erf', 'Softmax'],
  ...['Add', 'Sub', 'Mul', 'Div'],
]);

/**
 * Simulates the memory of one run, node by node in ONNX Runtime's order. `overwrites`: kernels write over operands where they can; those
 * of WebGPU never do.
 */
export function graphMemory(graph: GraphProto, overwrites: boolean): GraphMemory {
  const order = runtimeOrder(graph);
  const types = nodeTypes(graph, order);
  const bytes = (name: string): number => bytesOf(entryOf(types, name));
  // ONNX Runtime drops a weight that nobody reads: one of which only parts are used.
  const isRead = new Set(order.flatMap(({ input }) => input));
  const all = [...graph.initializer, ...graph.input].map(({ name }) => name);
  const given = new Set(all.filter((name) => isRead.has(name)));
  const own = (name: string): number => (overwrites ? bytes(name) : takenFor(bytes(name)));
  const held = [...given].reduce((sum, name) => sum + (types.has(name) ? own(name) : 0), 0);

  const lastUse = new Map<string, number>();
  order.forEach(({ input }, at) => {
    for (const name of input) lastUse.set(name, at);
  });
  const results = new Set(graph.output.map(({ name }) => name));

  /** The buffer that a value is in, and how many values yet to be read are in each. */
  const bufferOf = new Map<string, string>();
  const readers = new Map<string, number>();
  const buffers = new Map<string, number>();
  const begun = new Map<string, number>();
  const uses: BufferUse[] = [];
  let [now, live] = [0, 0];
  const allocate = (name: string, size: number, at: number): void => {
    begun.set(name, at);
    bufferOf.set(name, name);
    readers.set(name, 1);
    buffers.set(name, size);
    now += size;
    live = Math.max(live, now);
  };
  const leave = (name: string, at: number): void => {
    const buffer = bufferOf.get(name);
    if (buffer === undefined) return;
    const left = entryOf(readers, buffer) - 1;
    readers.set(buffer, left);
    if (left > 0) return;
    const size = entryOf(buffers, buffer);
    now -= size;
    uses.push(useOf(buffer, at));
    begun.delete(buffer);
  };
  const useOf = (buffer: string, to: number): BufferUse => {
    const { type, shape } = entryOf(types, buffer);
    const from = entryOf(begun, buffer);
    return { kind: `${type} ${shape.join()}`, bytes: entryOf(buffers, buffer), from, to };
  };
  /** WebGPU's convolutions lay their kernel out anew at each run. */
  const laidOutAnew = ({ op_type, input }: NodeProto, at: number): BufferUse | undefined => {
    if (op_type !== 'Conv' && op_type !== 'ConvTranspose') return undefined;
    const { type, shape } = entryOf(types, input[1]);
    // The plan knows nothing of it.
    const kind = `${type} ${shape.join()} for node ${at}`;
    return { kind, bytes: bytesOf({ type, shape }), from: at, to: at };
  };
  order.forEach((node, at) => {
    const [output = ''] = node.output;
    if (!types.has(output)) return;
    const size = bytes(output);
    const ends = (name: string): boolean => lastUse.get(name) === at && !results.has(name);
    const shared = aliases.has(node.op_type)
      ? node.input[0]
      : overwrites && inPlace.has(node.op_type)
        ? node.input.find((name) => {
            const buffer = bufferOf.get(name);
            return (
              buffer !== undefined && ends(name) && readers.get(buffer) === 1 && buffers.get(buffer) === size
            );
          })
        : undefined;
    const buffer = shared === undefined ? undefined : bufferOf.get(shared);
    if (buffer !== undefined) {
      bufferOf.set(output, buffer);
      readers.set(buffer, entryOf(readers, buffer) + 1);
    } else if (!(shared !== undefined && given.has(shared))) allocate(output, size, at);
    const kernel = overwrites ? undefined : laidOutAnew(node, at);
    if (kernel) uses.push(kernel);
    for (const name of new Set(node.input)) if (ends(name)) leave(name, at);
    if (!lastUse.has(output) && !results.has(output)) leave(output, at);
  });
  for (const buffer of begun.keys()) uses.push(useOf(buffer, order.length));
  const isKernel = order.map(
    ({ op_type, output: [output = ''] }) => types.has(output) && !aliases.has(op_type),
  );
  return { held, live, cached: keptBuffers(uses, isKernel) };
}
