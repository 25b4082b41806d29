import { storedBytes, type NamedTensor } from '../checkpoints/writeSafetensors.ts';
import { withFile } from '../checkpoints/files.ts';
import { bytesPerElement, elementCount, type FileTensor, type Shape } from '../tensor/tensor.ts';

/**
 * `weight.bin` of a Core ML package: "Blob Storage" version 2 (apple/coremltools, mlmodel/src/MILBlob/Blob/StorageFormat.hpp). A header of
 * 64 bytes; then each tensor, at a multiple of 64 bytes: 64 bytes about it, and its elements.
 */
const alignment = 64;
const version = 2;
const sentinel = 0xdeadbeef;
/** BlobDataType. */
const types = { f16: 1, f32: 2 } as const;
type BlobType = keyof typeof types;

/** A tensor of such a file, in the type that it is stored in. */
export interface Blob extends NamedTensor {
  readonly dtype: BlobType;
}

/** Collects tensors and says where each will be; `bytes` then gives the file. */
export class BlobFile {
  private readonly blobs: Blob[] = [];
  private end = alignment;

  /** Returns the place that a program refers to: that of the 64 bytes about it. */
  add(blob: Blob): number {
    const offset = this.end;
    this.blobs.push(blob);
    this.end = aligned(offset + alignment + byteLength(blob));
    return offset;
  }

  /** The file from its start, in pieces. A tensor is read when its turn comes. Errors: `export.overflow`. */
  *bytes(): Generator<Uint8Array> {
    const header = Buffer.alloc(alignment);
    header.writeUInt32LE(this.blobs.length, 0);
    header.writeUInt32LE(version, 4);
    yield header;
    let offset = alignment;
    for (const blob of this.blobs) {
      const length = byteLength(blob);
      const about = Buffer.alloc(alignment);
      about.writeUInt32LE(sentinel, 0);
      about.writeUInt32LE(types[blob.dtype], 4);
      about.writeBigUInt64LE(BigInt(length), 8);
      about.writeBigUInt64LE(BigInt(offset + alignment), 16);
      yield about;
      yield* storedBytes(blob);
      const end = offset + alignment + length;
      offset = aligned(end);
      // Nothing follows the last one.
      if (blob !== this.blobs.at(-1)) yield Buffer.alloc(offset - end);
    }
  }
}

const aligned = (offset: number): number => Math.ceil(offset / alignment) * alignment;

const byteLength = ({ tensor, dtype }: Blob): number => elementCount(tensor.shape) * bytesPerElement[dtype];

/** The tensor of `shape` at `offset`. Throws where there is none: a fault of the program that wrote it. */
export function blobAt(file: string, offset: number, shape: Shape): FileTensor {
  const about = Buffer.from(withFile(file, (open) => open.bytes(offset, alignment)));
  const dtype = (['f16', 'f32'] as const).find((one) => types[one] === about.readUInt32LE(4));
  if (about.readUInt32LE(0) !== sentinel || !dtype) throw new Error(`no tensor at byte ${offset} of ${file}`);
  const length = Number(about.readBigUInt64LE(8));
  if (length !== elementCount(shape) * bytesPerElement[dtype])
    throw new Error(`the tensor at byte ${offset} of ${file} has another size`);
  return { dtype, shape, file, offset: Number(about.readBigUInt64LE(16)), byteLength: length };
}
