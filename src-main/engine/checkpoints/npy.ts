import { crc32, inflateRawSync } from 'node:zlib';
import { problem } from '../../../src-shared/messages/index.ts';
import { f16ToF32 } from '../tensor/half.ts';
import { elementCount, type Shape } from '../tensor/tensor.ts';
import { withFile } from './files.ts';
import { writeAtomically } from './writeSafetensors.ts';
import { listZip } from './zip.ts';
import { plural } from '../../../src-shared/plural.ts';

/** An array of NumPy's, its numbers as doubles. */
export interface NumpyArray {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** Mean and covariance of Inception's features take 34 MB, 50,000 pictures' features 820. */
const maxBytes = 1e9;

/**
 * Reads the `wanted` arrays of an `.npz` file, compressed or not, by name; of an `.npy` file its one, by the name `''`. Format: NumPy's
 * lib/format.py. Errors: `file.*`, `arrays.damaged`.
 */
export function readNumpy(path: string, wanted: readonly string[]): Map<string, NumpyArray> {
  return withFile(path, (file) => {
    const damaged = (why: string, cause?: unknown): Error =>
      problem('arrays.damaged', { file: path, why }, cause);
    if (file.size < 16) throw damaged(`${plural(file.size, 'byte is', 'bytes are')} too few`);
    if (new DataView(file.bytes(0, 4).buffer).getUint32(0, true) !== 0x04034b50) {
      if (file.size > maxBytes) throw damaged(`it is ${file.size} bytes long`);
      return new Map([['', parseArray(file.bytes(0, file.size), damaged)]]);
    }
    const arrays = new Map<string, NumpyArray>();
    const listed = listZip(file);
    let total = 0;
    for (const key of wanted) {
      const name = `${key}.npy`;
      const entry = listed.get(name);
      if (!entry) continue;
      const { offset, packed, size, deflated } = entry;
      total += Math.max(size, packed);
      if (total > maxBytes) throw damaged(`its arrays take over ${maxBytes / 1e9} GB when they are unpacked`);
      const stored = file.bytes(offset, packed);
      arrays.set(key, parseArray(deflated ? inflate(stored, size, damaged) : stored, damaged));
    }
    return arrays;
  });
}

type Damaged = (why: string, cause?: unknown) => Error;

function inflate(packed: Uint8Array, size: number, damaged: Damaged): Uint8Array {
  try {
    return Uint8Array.from(inflateRawSync(packed, { maxOutputLength: size }));
  } catch (cause) {
    throw damaged('what is compressed in it is broken', cause);
  }
}

function parseArray(bytes: Uint8Array, damaged: Damaged): NumpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (new TextDecoder('latin1').decode(bytes.subarray(0, 6)) !== '\x93NUMPY')
    throw damaged('it is not a NumPy array');
  if (bytes.length < 12) throw damaged('it is cut off');
  const long = bytes[6] !== 1;
  const start = long ? 12 : 10;
  const end = start + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, end));
  const type = /'descr': *'([^']+)'/.exec(header)?.[1] ?? 'nothing';
  const shape = (/'shape': *\(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .filter((size) => size.trim())
    .map(Number);
  if (/'fortran_order': *True/.test(header) && shape.length > 1)
    throw damaged('its numbers are in Fortran order; save np.ascontiguousarray of it');
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw damaged('its shape is no list of sizes');
  const data = numbers(bytes.slice(end), type, damaged);
  if (data.length !== elementCount(shape))
    throw damaged(`${plural(data.length, 'number does not', 'numbers do not')} fill [${shape.join()}]`);
  return { shape, data };
}

function numbers(bytes: Uint8Array, type: string, damaged: Damaged): Float64Array {
  const { buffer } = bytes as { buffer: ArrayBuffer };
  try {
    if (type === '<f8') return new Float64Array(buffer);
    if (type === '<f4') return Float64Array.from(new Float32Array(buffer));
    if (type === '<f2') return Float64Array.from(f16ToF32(new Uint16Array(buffer)));
    if (type === '<i4') return Float64Array.from(new Int32Array(buffer));
    if (type === '<i8') return Float64Array.from(new BigInt64Array(buffer), Number);
  } catch (cause) {
    throw damaged('it is cut off', cause);
  }
  throw damaged(`its numbers are of type ${type}; save them as float32 or float64`);
}

/** Writes arrays as `np.savez` does: not compressed, float64. Errors: `file.unwritable`. */
export function writeNpz(path: string, arrays: Readonly<Record<string, NumpyArray>>): void {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [key, array] of Object.entries(arrays)) {
    const name = new TextEncoder().encode(`${key}.npy`);
    const content = Buffer.concat([
      npyHeader(array.shape),
      Buffer.from(array.data.buffer, array.data.byteOffset, array.data.byteLength),
    ]);
    const common = fields([
      [2, 20],
      [2, 0],
      [2, 0],
      [4, 0x00210000],
      [4, crc32(content)],
      [4, content.length],
      [4, content.length],
      [2, name.length],
      [2, 0],
    ]);
    const local = Buffer.concat([fields([[4, 0x04034b50]]), common, name, content]);
    directory.push(
      fields([
        [4, 0x02014b50],
        [2, 20],
      ]),
      common,
      fields([
        [2, 0],
        [2, 0],
        [2, 0],
        [4, 0],
        [4, offset],
      ]),
      name,
    );
    parts.push(local);
    offset += local.length;
  }
  const list = Buffer.concat(directory);
  const count = Object.keys(arrays).length;
  const end = fields([
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, count],
    [2, count],
    [4, list.length],
    [4, offset],
    [2, 0],
  ]);
  writeAtomically(path, () => [...parts, list, end]);
}

function npyHeader(shape: Shape): Uint8Array {
  const list = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '<f8', 'fortran_order': False, 'shape': (${list}), }`;
  // Numbers begin at a multiple of 64 bytes.
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    fields([[2, padded.length]]),
    Buffer.from(padded, 'latin1'),
  ]);
}

/** Little-endian integers: [bytes, value]. */
function fields(values: readonly (readonly [bytes: 2 | 4, value: number])[]): Uint8Array {
  const bytes = Buffer.alloc(values.reduce((sum, [size]) => sum + size, 0));
  let at = 0;
  for (const [size, value] of values) at = bytes.writeUIntLE(value, at, size);
  return bytes;
}
