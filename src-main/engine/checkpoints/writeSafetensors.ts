import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { orNothing } from '../../../src-shared/orNothing.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { DType, HostTensor, Shape, FileTensor } from '../tensor/tensor.ts';
import { bytesPerElement, elementCount } from '../tensor/tensor.ts';
import { f32ToF16, isHalf, toF32 } from '../tensor/half.ts';
import { errorCode } from './files.ts';
import { isLeftover, removeLeftovers, temporaryPlace } from './leftovers.ts';
import { safetensorsNames } from './safetensors.ts';
import { chunksOf, viewAs } from './weights.ts';

/**
 * A tensor to write: held in memory, on disk and copied piece by piece, several of one type laid end to end, or computed
 * when its turn comes.
 */
export type TensorSource = HostTensor | FileTensor | Joined | Computed;

/** `dtype` is the parts' own, or f32 where they differ: see `joined`. */
export interface Joined {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly parts: readonly TensorSource[];
}

export function joined(parts: readonly TensorSource[], shape: Shape): Joined {
  const types = new Set(parts.map((part) => part.dtype));
  const [first] = types;
  return { dtype: types.size === 1 && first ? first : 'f32', shape, parts };
}

export interface Computed {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly compute: () => HostTensor;
}

/** A matrix on its side: rows become columns. */
export function turned(source: TensorSource): Computed {
  const [rows = 0, columns = 0] = source.shape;
  const compute = (): HostTensor => {
    const bytes = Buffer.concat([...bytesOf(source)].map((piece) => Uint8Array.from(piece)));
    const size = bytesPerElement[source.dtype];
    const result = new Uint8Array(bytes.length);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const from = (row * columns + column) * size;
        result.set(bytes.subarray(from, from + size), (column * rows + row) * size);
      }
    return { dtype: source.dtype, shape: [columns, rows], data: viewAs(source.dtype, result) };
  };
  return { dtype: source.dtype, shape: [columns, rows], compute };
}

export interface NamedTensor {
  readonly name: string;
  readonly tensor: TensorSource;
  /** Float tensors are converted to this type on the way; the tensor's own when left out. */
  readonly dtype?: 'f32' | 'f16' | undefined;
}

/**
 * Writes a `.safetensors` file atomically (a temporary file beside it, synced, then renamed). Header and order as in the
 * reference implementation: padded to 8 bytes, wide types first, then by name. Errors: `file.unwritable`, `export.overflow`.
 */
export function writeSafetensors(
  path: string,
  tensors: Iterable<NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const sorted = [...tensors].sort(
    (a, b) => bytesPerElement[storedType(b)] - bytesPerElement[storedType(a)] || (a.name < b.name ? -1 : 1),
  );
  const header: Record<
    string,
    { dtype: string; shape: Shape; data_offsets: [number, number] } | typeof metadata
  > = {};
  if (Object.keys(metadata).length) header['__metadata__'] = metadata;
  let position = 0;
  for (const named of sorted) {
    if (Object.hasOwn(header, named.name)) throw new Error(`writeSafetensors: ${named.name} is given twice`);
    const dtype = storedType(named);
    const end = position + elementCount(named.tensor.shape) * bytesPerElement[dtype];
    header[named.name] = {
      dtype: safetensorsNames[dtype],
      shape: named.tensor.shape,
      data_offsets: [position, end],
    };
    position = end;
  }
  let json = Buffer.from(JSON.stringify(header));
  json = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeAtomically(path, function* () {
    yield length;
    yield json;
    for (const named of sorted) yield* storedBytes(named);
  });
}

/**
 * Writes `pieces` to a temporary file beside `path`, syncs it and renames it; on any error nothing is left behind, and what a kill left
 * of an earlier try is removed.
 */
export function writeAtomically(path: string, pieces: () => Iterable<Uint8Array>): void {
  const temporary = temporaryPlace(path);
  let descriptor: number | undefined;
  try {
    if (hadLeftovers(dirname(path))) removeLeftovers(dirname(path), path);
    descriptor = openSync(temporary, 'w');
    for (const piece of pieces()) {
      for (let done = 0; done < piece.length;)
        done += writeSync(descriptor, piece, done, Math.min(piece.length - done, 1 << 30));
    }
    fsyncSync(descriptor);
    closeSync(descriptor);
    descriptor = undefined;
    renameSync(temporary, path);
  } catch (error) {
    discard(temporary, descriptor);
    if (error instanceof Error && 'syscall' in error)
      throw problem('file.unwritable', { file: path, why: errorCode(error) }, error);
    throw error;
  }
  syncFolder(dirname(path));
}

/** What went wrong before matters more than what goes wrong here. */
function discard(temporary: string, descriptor: number | undefined): void {
  orNothing(() => {
    if (descriptor !== undefined) closeSync(descriptor);
    rmSync(temporary, { force: true });
  });
}

const looked = new Map<string, boolean>();

/** Whether there were any when this process first wrote there: folders of thousands of pictures are not listed for each of them. */
function hadLeftovers(folder: string): boolean {
  const known = looked.get(folder) ?? readdirSync(folder).some(isLeftover);
  looked.set(folder, known);
  return known;
}

// The rename itself must reach the disk too. Windows can't open folders, and doesn't need it.
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const isFloat = (dtype: DType) => dtype === 'f32' || isHalf(dtype);

function storedType({ tensor, dtype }: NamedTensor): DType {
  return dtype && isFloat(tensor.dtype) ? dtype : tensor.dtype;
}

/** Its bytes in the type that it is written in, in pieces. Errors: `export.overflow`. */
export function* storedBytes(named: NamedTensor): Generator<Uint8Array> {
  const from = named.tensor.dtype;
  const to = storedType(named);
  for (const bytes of bytesOf(named.tensor))
    yield from === to ? bytes : converted(named.name, bytes, from, to);
}

function* bytesOf(source: TensorSource): Generator<Uint8Array> {
  const tensor = 'compute' in source ? source.compute() : source;
  if ('file' in tensor) {
    yield* chunksOf(tensor);
    return;
  }
  if ('parts' in tensor) {
    for (const part of tensor.parts)
      yield* storedBytes({ name: '', tensor: part, dtype: part.dtype === tensor.dtype ? undefined : 'f32' });
    return;
  }
  const bytes = new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  for (let done = 0; done < bytes.length; done += 4 << 20) yield bytes.subarray(done, done + (4 << 20));
}

function converted(name: string, bytes: Uint8Array, from: DType, to: DType): Uint8Array {
  const data = viewAs(from, bytes);
  const floats = toF32({ dtype: from, shape: [data.length], data }).data;
  const result = to === 'f16' ? f32ToF16(floats) : floats;
  // Infinite in f16, but finite before.
  const lost = floats.find(
    (value, i) => ((result[i] as number) & 0x7fff) === 0x7c00 && Number.isFinite(value),
  );
  if (to === 'f16' && lost !== undefined)
    throw problem('export.overflow', { tensor: name, value: lost.toPrecision(3) });
  return new Uint8Array(result.buffer, result.byteOffset, result.byteLength);
}
