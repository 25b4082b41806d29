import { open, type FileHandle } from 'node:fs/promises';
import { leaves, type Graph } from '../../graph/graph.ts';
import { pieces } from '../../graph/pieces.ts';
import type { Value } from '../../graph/ops.ts';
import type { Provider } from '../../../../src-shared/domain/providers.ts';
import type { HalfType } from '../../../../src-shared/domain/precision.ts';
import { Session } from '../../runtime/session.ts';
import { Tensor } from '../../runtime/tensor.ts';
import { elementCount, type FileTensor } from '../../tensor/tensor.ts';
import type { Preparation } from './gradients.ts';
import { entryOf } from '../../../../src-shared/entryOf.ts';

/** Most bytes of weights that stay in memory. */
const keepAtMost = 256 << 20;

export interface TeacherOptions {
  /** The stored weight of every parameter. */
  readonly weights: (name: string) => FileTensor | undefined;
  readonly provider: Provider;
  readonly threads?: number | undefined;
  /** Bytes that a call lends for weights. */
  readonly idleBytes: number;
  readonly keepAtMost?: number;
  /** What the weights are kept in on a device, where that is not what the graph computes in. */
  readonly storedIn?: HalfType;
}

type Tensors = Readonly<Record<string, Tensor>>;

/** One part of the teacher's graph, with where its weights go when they are read at each run. */
interface Piece {
  readonly session: Session;
  readonly weights: readonly { readonly name: string; readonly entry: FileTensor; readonly start: number }[];
}

/**
 * A frozen network beside one that learns. On the CPU, the weights of a large f32 teacher are read from their file (or the
 * system's cache of it) at each call, piece by piece, into memory that is idle just then: that of the gradients. So they take no
 * memory of their own; Stable Diffusion's 3.4 GB would stay there during the backward pass too. Reading them costs half a second.
 */
export class Teacher implements Preparation {
  private constructor(
    private readonly pieces: readonly Piece[],
    private readonly files: ReadonlyMap<string, FileHandle>,
    private readonly elements: number,
  ) {}

  /** `graph`: its outputs are what the teacher gives. */
  static async create(graph: Graph, options: TeacherOptions): Promise<Teacher> {
    const { weights, provider, threads, idleBytes, storedIn } = options;
    const parameters = [...leaves(graph, 'parameter').values()];
    const entryOf = (parameter: Value): FileTensor => {
      const entry = weights((parameter as Value & { op: 'parameter' }).attributes.name);
      if (!entry) throw new Error('a parameter of the teacher is not stored');
      return entry;
    };
    const entries = parameters.map(entryOf);
    const total = parameters.reduce((sum, parameter) => sum + bytesOf(parameter), 0);
    const isF32 = parameters.every(({ dtype }, i) => dtype === 'f32' && entries[i]?.dtype === 'f32');
    const streams = provider === 'cpu' && isF32 && total > (options.keepAtMost ?? keepAtMost);
    // Other sessions are idle while the teacher works, so it keeps no memory of its own.
    const session = { provider, frugal: true, keepOnDevice: true, ...(threads && { threads }) };
    if (!streams) {
      const whole = await Session.compile(graph, { ...session, weights, ...(storedIn && { storedIn }) });
      return new Teacher([{ session: whole, weights: [] }], new Map(), 0);
    }
    const parts: Piece[] = [];
    let elements = 0;
    for (const part of pieces(graph, bytesOf, idleBytes)) {
      let start = 0;
      const read = [...leaves(part, 'parameter')].map(([name, parameter]) => {
        const place = { name, entry: entryOf(parameter), start };
        start += alignedCount(parameter);
        return place;
      });
      elements = Math.max(elements, start);
      parts.push({ session: await Session.compile(part, session), weights: read });
    }
    const names = new Set(parameters.map((parameter) => entryOf(parameter).file));
    const files = new Map<string, FileHandle>();
    for (const name of names) files.set(name, await open(name));
    return new Teacher(parts, files, elements);
  }

  /** The graph's outputs. `idle` is overwritten; where it is too small, other memory is taken. */
  async prepare(given: Tensors, idle: Float32Array): Promise<Tensors> {
    const memory = idle.length >= this.elements ? idle : new Float32Array(this.elements);
    let known: Tensors = given;
    let results: Tensors = {};
    for (const { session, weights } of this.pieces) {
      const read = await Promise.all(
        weights.map(async ({ name, entry, start }) => {
          const data = memory.subarray(start, start + entry.byteLength / 4);
          await fill(entryOf(this.files, entry.file), data, entry.offset);
          return [name, Tensor.from({ dtype: 'f32', shape: entry.shape, data })] as const;
        }),
      );
      results = { ...results, ...(await session.run({ ...known, ...Object.fromEntries(read) })) };
      known = { ...given, ...results };
    }
    return Object.fromEntries(Object.entries(results).filter(([name]) => !name.startsWith('cut.')));
  }

  async dispose(): Promise<void> {
    for (const { session } of this.pieces) await session.dispose();
    for (const file of this.files.values()) await file.close();
  }
}

/** Weights start at whole cache lines. */
const alignedCount = (parameter: Value): number => Math.ceil(elementCount(parameter.shape) / 16) * 16;
const bytesOf = (parameter: Value): number => 4 * alignedCount(parameter);

async function fill(file: FileHandle, data: Float32Array, offset: number): Promise<void> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, offset + done);
    if (bytesRead === 0) throw new Error('the file of the teacher has become shorter');
    done += bytesRead;
  }
}
