import { problem } from '../../../src-shared/messages/index.ts';
import type { DType, HostArrays, HostTensor, Shape, FileTensor } from '../tensor/tensor.ts';
import { bytesPerElement, elementCount, sameShape } from '../tensor/tensor.ts';
import { isHalf, toF32 } from '../tensor/half.ts';
import { withFile } from './files.ts';
import { stridedView, type OtherTensor } from './otherTypes.ts';
import { entryOf } from '../../../src-shared/entryOf.ts';

/** Named tensors on disk, one part of a model. Nothing is read before `readTensor`. */
export class Weights {
  /**
   * @param source the file or folder they come from, for messages
   * @param otherTypes tensors of element types that are not used here (f64, f8 …), by name
   */
  constructor(
    readonly source: string,
    private readonly entries: ReadonlyMap<string, FileTensor>,
    readonly otherTypes: ReadonlyMap<string, OtherTensor> = new Map(),
  ) {}

  get(name: string): FileTensor | undefined {
    return this.entries.get(name);
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  names(): string[] {
    return [...this.entries.keys()];
  }

  get parameterCount(): number {
    return [...this.entries.values()].reduce((sum, entry) => sum + elementCount(entry.shape), 0);
  }
}

/** The entry of that name and shape. Errors: `tensor.missing`, `tensor.shape`, `tensor.type`. */
export function expectTensor(weights: Weights, name: string, shape: Shape): FileTensor {
  const entry = weights.get(name);
  const otherType = weights.otherTypes.get(name);
  const file = entry?.file ?? weights.source;
  if (otherType?.dtype.endsWith(stridedView))
    throw problem('weights.unsupported', {
      file,
      why: `the tensor "${name}" is a strided view, as channels_last leaves it`,
    });
  if (otherType) throw problem('tensor.type', { file, tensor: name, found: otherType.dtype });
  if (!entry) throw problem('tensor.missing', { file, tensor: name, expected: shapeText(shape) });
  if (!sameShape(entry.shape, shape))
    throw problem('tensor.shape', {
      file,
      tensor: name,
      expected: shapeText(shape),
      found: shapeText(entry.shape),
    });
  if (entry.dtype !== 'f32' && entry.dtype !== 'f16' && entry.dtype !== 'bf16')
    throw problem('tensor.type', { file, tensor: name, found: entry.dtype });
  return entry;
}

/** Reads one tensor into memory of its own. */
export function readTensor(entry: FileTensor): HostTensor {
  const bytes = new Uint8Array(entry.byteLength);
  withFile(entry.file, (file) => file.read(bytes, entry.offset));
  return { dtype: entry.dtype, shape: entry.shape, data: viewAs(entry.dtype, bytes) };
}

/** `readTensor`, converted to f32. */
export function readF32(entry: FileTensor): HostTensor<'f32'> {
  return toF32(readTensor(entry));
}

/**
 * Looks through every value, a tensor's piece at a time. Throws `tensor.notNumbers` at the first tensor with NaN or
 * infinite values.
 */
export function findBadValues(weights: Weights): void {
  for (const name of weights.names()) {
    const entry = entryOf(weights, name);
    let count = 0;
    for (const bytes of chunksOf(entry)) count += badValues(entry.dtype, bytes);
    if (count) throw problem('tensor.notNumbers', { file: entry.file, tensor: name, count });
  }
}

/** The tensor's bytes in pieces of at most 4 MB, each a whole number of elements. A piece is overwritten by the next. */
export function* chunksOf(entry: FileTensor): Generator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(entry.byteLength, 4 << 20));
  for (let done = 0; done < entry.byteLength; done += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, entry.byteLength - done));
    withFile(entry.file, (file) => file.read(piece, entry.offset + done));
    yield piece;
  }
}

const arrayTypes = {
  f32: Float32Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  i64: BigInt64Array,
  i32: Int32Array,
  u8: Uint8Array,
  bool: Uint8Array,
} as const;

/** The same memory as elements of `dtype`; `bytes` must start at a multiple of the element size. */
export function viewAs<D extends DType>(dtype: D, bytes: Uint8Array): HostArrays[D] {
  const length = bytes.byteLength / bytesPerElement[dtype];
  return new arrayTypes[dtype](bytes.buffer as ArrayBuffer, bytes.byteOffset, length) as HostArrays[D];
}

// All exponent bits set is infinity or NaN in every IEEE-like format.
function badValues(dtype: DType, bytes: Uint8Array): number {
  let count = 0;
  if (dtype === 'f32') {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    for (let i = 0; i < words.length; i++) if (((words[i] as number) & 0x7f800000) === 0x7f800000) count++;
  } else if (isHalf(dtype)) {
    const mask = dtype === 'f16' ? 0x7c00 : 0x7f80;
    const words = viewAs(dtype, bytes);
    for (let i = 0; i < words.length; i++) if (((words[i] as number) & mask) === mask) count++;
  }
  return count;
}

function shapeText(shape: Shape): string {
  return shape.length ? shape.join('×') : 'a single number';
}
