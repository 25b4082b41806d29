import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { orNothing } from '../../../src-shared/orNothing.ts';
import { LikenessError } from '../../../src-shared/messages/index.ts';
import { viewAs } from './weights.ts';
import {
  elementCount,
  bytesPerElement,
  type DType,
  type HostTensor,
  type Shape,
  type FileTensor,
} from '../tensor/tensor.ts';
import { cachedPlace, identityOf } from './contentHash.ts';
import { isFile, isFolder, makeFolder, withFile } from './files.ts';
import { readSafetensors } from './safetensors.ts';
import { writeSafetensors } from './writeSafetensors.ts';

/** A tensor whose elements do not lie in row-major order, as `channels_last` leaves them. Strides count elements. */
export interface StridedTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly strides: readonly number[];
  /** Byte of the file at which the first element lies. */
  readonly start: number;
}

/**
 * The same tensors in row-major order, in a file of the cache that is written once: ONNX Runtime takes weights from files, and only
 * in that order. Nothing where there is no cache, or no room in it. `which` tells apart the copies of different tensors of one file.
 * Errors: those of the readers.
 */
export function denseCopies(
  file: string,
  strided: ReadonlyMap<string, StridedTensor>,
  which = '',
): ReadonlyMap<string, FileTensor> {
  const place =
    strided.size > 0
      ? cachedPlace('dense', `${identityOf([file])}${which && `-${which}`}.safetensors`)
      : undefined;
  if (place === undefined || !noteUse(place, file)) return new Map();
  try {
    if (!isFile(place))
      writeSafetensors(
        place,
        [...strided].map(([name, view]) => ({
          name,
          tensor: { dtype: view.dtype, shape: view.shape, compute: () => rowMajor(file, view) },
        })),
      );
  } catch (error) {
    if (error instanceof LikenessError && error.code === 'file.unwritable') return new Map();
    throw error;
  }
  return readSafetensors(place).tensors;
}

const monthMs = 30 * 24 * 3_600_000;
const noteOf = (copy: string): string => copy.replace(/\.safetensors$/, '.used');

/** Notes beside a copy what it is a copy of; the note's date is that of the last use. False where nothing can be written. */
function noteUse(copy: string, file: string): boolean {
  try {
    makeFolder(dirname(copy));
    writeFileSync(noteOf(copy), resolve(file));
    return true;
  } catch {
    return false;
  }
}

/** Removes the copies of files that are gone or have changed, and those that were not used for a month. */
export function removeOldCopies(): void {
  const folder = cachedPlace('dense');
  if (folder === undefined || !isFolder(folder)) return;
  for (const name of readdirSync(folder)) {
    const copy = join(folder, name);
    if (!/^[0-9a-f]{32}(-\w+)?\.safetensors$/.test(name) || isWanted(copy)) continue;
    // Windows does not remove a file that is in use: it goes another time.
    for (const old of [copy, noteOf(copy)]) orNothing(() => rmSync(old, { force: true }));
  }
}

function isWanted(copy: string): boolean {
  const note = orNothing(() => ({
    isRecent: statSync(noteOf(copy)).mtimeMs > Date.now() - monthMs,
    identity: identityOf([readFileSync(noteOf(copy), 'utf8')]),
  }));
  return note !== undefined && note.isRecent && copy.includes(note.identity);
}

function rowMajor(file: string, { dtype, shape, strides, start }: StridedTensor): HostTensor {
  const size = bytesPerElement[dtype];
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] as number), 0);
  const bytes = withFile(file, (open) => open.bytes(start, (last + 1) * size));
  const result = new Uint8Array(elementCount(shape) * size);
  // Elements are moved as whole numbers of their size: bits stay as they are.
  const [from, to] =
    size === 4
      ? [viewAs('i32', bytes), viewAs('i32', result)]
      : [viewAs('f16', bytes), viewAs('f16', result)];
  let next = 0;
  const along = (axis: number, at: number): void => {
    const [length, stride] = [shape[axis] as number, strides[axis] as number];
    for (let i = 0; i < length; i++) {
      if (axis < shape.length - 1) along(axis + 1, at + i * stride);
      else to[next++] = from[at + i * stride] as number;
    }
  };
  along(0, 0);
  return { dtype, shape, data: viewAs(dtype, result) };
}
