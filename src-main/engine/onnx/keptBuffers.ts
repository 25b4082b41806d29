/** A buffer of a graph's run, from the node that writes it to the last one that reads it. */
export interface BufferUse {
  /** Its value's type and shape. */
  readonly kind: string;
  readonly bytes: number;
  /** Indices of nodes. */
  readonly from: number;
  readonly to: number;
}

/** Kernels that WebGPU's provider submits together (`maxNumPendingDispatches`). */
const submittedTogether = 16;

/** Dawn cuts buffers of less than 4 MiB out of larger blocks, in halves (its `BuddyMemoryAllocator`): they take a power of two. */
const cutBelow = 4 << 20;
export const takenFor = (bytes: number): number =>
  bytes < cutBelow ? 2 ** Math.ceil(Math.log2(Math.max(bytes, 1))) : bytes;

/**
 * The bytes that WebGPU takes for buffers in the course of a run, and keeps. ONNX Runtime's plan gives a buffer to a later value of the
 * same type and shape, and holds it until then (`AllocationPlanner`: `FindReusableTensor`); one that it has no more use for is
 * kept, from the end of its submission on, for any of the same size (the provider's `simple` cache). `isKernel`: whether a
 * node runs one.
 */
export function keptBuffers(uses: readonly BufferUse[], isKernel: readonly boolean[]): number {
  const free = new Map<number, number>();
  let [kept, kernels] = [0, 0];
  let waiting: number[] = [];
  const planned = planOf(uses);
  const [begins, ends] = [byNode(planned, 'from'), byNode(planned, 'to')];
  isKernel.forEach((runs, node) => {
    for (const { bytes } of begins.get(node) ?? []) {
      const spare = free.get(bytes) ?? 0;
      if (spare > 0) free.set(bytes, spare - 1);
      else kept += takenFor(bytes);
    }
    for (const { bytes } of ends.get(node) ?? []) waiting.push(bytes);
    if (!runs || ++kernels % submittedTogether !== 0) return;
    for (const bytes of waiting) free.set(bytes, (free.get(bytes) ?? 0) + 1);
    waiting = [];
  });
  return kept;
}

/** Buffers as planned: each from the first value in it to the last. */
function planOf(uses: readonly BufferUse[]): BufferUse[] {
  const planned: { kind: string; bytes: number; from: number; to: number }[] = [];
  const free = new Map<string, typeof planned>();
  const ends = new Map<number, typeof planned>();
  let at = -1;
  for (const { kind, bytes, from, to } of [...uses].sort((a, b) => a.from - b.from)) {
    // What a node reads is free after the node, not for what it writes.
    for (; at < from - 1; at++)
      for (const one of ends.get(at + 1) ?? []) free.set(one.kind, [...(free.get(one.kind) ?? []), one]);
    const known = free.get(kind)?.pop();
    const one = known ?? { kind, bytes, from, to };
    one.to = to;
    if (!known) planned.push(one);
    ends.set(to, [...(ends.get(to) ?? []), one]);
  }
  return planned;
}

function byNode(uses: readonly BufferUse[], end: 'from' | 'to'): Map<number, BufferUse[]> {
  const found = new Map<number, BufferUse[]>();
  for (const use of uses) found.set(use[end], [...(found.get(use[end]) ?? []), use]);
  return found;
}
