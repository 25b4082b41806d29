import { elementCount } from '../tensor/tensor.ts';
import { nodeTypes, type NodeType } from './nodeShapes.ts';
import type { GraphProto, NodeProto } from './schema.ts';

/** Bytes that a graph takes on a device. */
export interface GraphMemory {
  /** Weights, constants and what is fed. */
  readonly held: number;
  /** The peak of the computed values, each of which lives from its node to its last user. */
  readonly live: number;
  /** The same where a buffer that nobody needs any more waits for the end of its submission: WebGPU's `lazyRelease`. */
  readonly pending: number;
  /** The same, and buffers are then kept by size for values to come: what stays with WebGPU's `simple` cache after a run. */
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
/** Kernels that write over an operand nobody else will read. */
const inPlace = new Set([
  ...['Neg', 'Exp', 'Log', 'Sqrt', 'Reciprocal', 'Sigmoid', 'Tanh', 'Relu', 'Erf', 'Softmax'],
  ...['Add', 'Sub', 'Mul', 'Div'],
]);

/** Kernels that WebGPU's provider submits together (`maxNumPendingDispatches`). */
const submittedTogether = 16;

/** Simulates the memory of one run, node by node in ONNX Runtime's order. */
export function graphMemory(graph: GraphProto): GraphMemory {
  const order = runtimeOrder(graph);
  const types = nodeTypes(graph, order);
  const bytes = (name: string): number => bytesOf(types.get(name) as NodeType);
  const given = new Set([...graph.initializer, ...graph.input].map(({ name }) => name));
  const held = [...given].reduce((sum, name) => sum + (types.has(name) ? bytes(name) : 0), 0);

  const lastUse = new Map<string, number>();
  order.forEach(({ input }, at) => {
    for (const name of input) lastUse.set(name, at);
  });
  const results = new Set(graph.output.map(({ name }) => name));

  /** The buffer that a value is in, and how many values yet to be read are in each. */
  const bufferOf = new Map<string, string>();
  const readers = new Map<string, number>();
  const buffers = new Map<string, number>();
  const free = new Map<number, number>();
  /** Sizes of buffers that wait for the end of a submission. */
  let waiting: number[] = [];
  let [now, live, pending, cached, kernels] = [0, 0, 0, 0, 0];
  const allocate = (name: string, size: number): void => {
    bufferOf.set(name, name);
    readers.set(name, 1);
    buffers.set(name, size);
    now += size;
    live = Math.max(live, now);
    pending = Math.max(
      pending,
      waiting.reduce((sum, bytes) => sum + bytes, now),
    );
    const spare = free.get(size) ?? 0;
    if (spare > 0) free.set(size, spare - 1);
    else cached += size;
  };
  const leave = (name: string): void => {
    const buffer = bufferOf.get(name);
    if (buffer === undefined) return;
    const left = (readers.get(buffer) as number) - 1;
    readers.set(buffer, left);
    if (left > 0) return;
    const size = buffers.get(buffer) as number;
    now -= size;
    waiting.push(size);
  };
  const submit = (): void => {
    for (const size of waiting) free.set(size, (free.get(size) ?? 0) + 1);
    waiting = [];
  };
  order.forEach((node, at) => {
    const [output = ''] = node.output;
    if (!types.has(output)) return;
    const size = bytes(output);
    const ends = (name: string): boolean => lastUse.get(name) === at && !results.has(name);
    const shared = aliases.has(node.op_type)
      ? node.input[0]
      : inPlace.has(node.op_type)
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
      readers.set(buffer, (readers.get(buffer) as number) + 1);
    } else if (!(shared !== undefined && given.has(shared))) allocate(output, size);
    for (const name of new Set(node.input)) if (ends(name)) leave(name);
    if (!lastUse.has(output) && !results.has(output)) leave(output);
    if (!aliases.has(node.op_type) && ++kernels % submittedTogether === 0) submit();
  });
  return { held, live, pending, cached };
}
