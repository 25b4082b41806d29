import { nameOf, problem, type LikenessError } from '../../../src-shared/messages/index.ts';
import type { DType, FileTensor } from '../tensor/tensor.ts';
import { elementCount } from '../tensor/tensor.ts';
import { asRecord, withFile, type OpenFile } from './files.ts';
import type { OtherTensor } from './otherTypes.ts';
import { plural } from '../../../src-shared/plural.ts';

/** What a `.safetensors` header says. Format: huggingface/safetensors, README "Format". */
export interface SafetensorsFile {
  readonly file: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, FileTensor>;
  /** Tensors whose element type no network is computed in. */
  readonly otherTypes: ReadonlyMap<string, OtherTensor>;
}

export const safetensorsNames: Record<DType, string> = {
  f32: 'F32',
  f16: 'F16',
  bf16: 'BF16',
  i64: 'I64',
  i32: 'I32',
  u8: 'U8',
  bool: 'BOOL',
};

const ourTypes = new Map(Object.entries(safetensorsNames).map(([ours, theirs]) => [theirs, ours as DType]));

/** Every type of the format, so that a file in one that can't be used is not called damaged. */
const elementBytes: Readonly<Record<string, number>> = {
  ...{ F4: 0.5, F6_E2M3: 0.75, F6_E3M2: 0.75 },
  ...{ BOOL: 1, U8: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1, F8_E8M0: 1, U16: 2, I16: 2, F16: 2, BF16: 2 },
  ...{ U32: 4, I32: 4, F32: 4, U64: 8, I64: 8, F64: 8, C64: 8 },
};

const maxHeaderBytes = 100_000_000;
/** Checkpoints of the SDXL family have some 2,600. */
const maxTensors = 100_000;

/**
 * Reads and checks the header; no tensor data. As in the reference implementation the tensors must fill the file
 * exactly, without overlaps or holes. Errors: `file.missing`, `file.unreadable`, `weights.damaged`.
 */
export function readSafetensors(path: string): SafetensorsFile {
  return withFile(path, (file) => {
    const damaged = (why: string) => problem('weights.damaged', { file: path, why });
    if (file.size < 8)
      throw damaged(`${plural(file.size, 'byte is', 'bytes are')} too few for a safetensors file`);
    const headerBytes = Number(new DataView(file.bytes(0, 8).buffer).getBigUint64(0, true));
    if (headerBytes > maxHeaderBytes) throw damaged('its header says it is over 100 MB long');
    if (8 + headerBytes > file.size) throw damaged('its header is cut off');
    const header = parseHeader(file, headerBytes, damaged);
    const tensors = new Map<string, FileTensor>();
    const otherTypes = new Map<string, OtherTensor>();
    const ranges: [begin: number, end: number][] = [];
    for (const [name, value] of Object.entries(header)) {
      if (name === '__metadata__') continue;
      const { dtype, shape, begin, end } = checkEntry(name, value, damaged);
      ranges.push([begin, end]);
      const ours = ourTypes.get(dtype);
      const at = { shape, file: path, offset: 8 + headerBytes + begin };
      if (!ours) otherTypes.set(name, { dtype, ...at });
      else tensors.set(name, { dtype: ours, ...at, byteLength: end - begin });
    }
    checkCover(ranges, file.size - 8 - headerBytes, damaged);
    return { file: path, metadata: checkMetadata(header['__metadata__'], damaged), tensors, otherTypes };
  });
}

type Damaged = (why: string) => LikenessError;

function parseHeader(file: OpenFile, length: number, damaged: Damaged): Record<string, unknown> {
  const bytes = file.bytes(8, length);
  // Counted before it is parsed: what takes a byte in the file takes a hundred in memory.
  const { names, depth, values } = measure(bytes);
  if (names > maxTensors) throw damaged(`its header lists over ${maxTensors.toLocaleString('en')} tensors`);
  if (depth > maxDepth || values > maxValues) throw damaged('its header is not a list of tensors');
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch {
    throw damaged('its header is not JSON');
  }
  if (!text.startsWith('{') || Object.keys(asRecord(header)).length === 0)
    throw damaged('its header lists no tensors');
  if (names !== Object.keys(asRecord(header)).length) throw damaged('its header names a tensor twice');
  return asRecord(header);
}

/** A header is an object of objects of lists. */
const maxDepth = 3;
const maxValues = 32 * maxTensors;

/**
 * Names at the top of a JSON object (of several equal ones, JSON.parse silently keeps the last), how deep it goes, and how many
 * values its lists and objects have, without parsing it. If it is not JSON, the figures mean nothing.
 */
function measure(json: Uint8Array): { names: number; depth: number; values: number } {
  let [level, depth, names, values] = [0, 0, 0, 0];
  for (let i = 0; i < json.length; i++) {
    const char = json[i];
    if (char === 0x22) {
      i++;
      while (i < json.length && json[i] !== 0x22) i += json[i] === 0x5c ? 2 : 1;
    } else if (char === 0x7b || char === 0x5b) depth = Math.max(depth, ++level);
    else if (char === 0x7d || char === 0x5d) level--;
    else if (char === 0x2c) values++;
    else if (char === 0x3a && level === 1) names++;
  }
  return { names, depth, values };
}

function checkEntry(name: string, value: unknown, damaged: Damaged) {
  const { dtype, shape, data_offsets: offsets } = asRecord(value);
  const tensor = `the tensor "${nameOf(name)}"`;
  const bytes =
    typeof dtype === 'string' && Object.hasOwn(elementBytes, dtype) ? elementBytes[dtype] : undefined;
  if (bytes === undefined)
    throw damaged(
      `${tensor} has an unknown type${typeof dtype === 'string' ? ` (${dtype.slice(0, 20)})` : ''}`,
    );
  if (!isSizeList(shape)) throw damaged(`${tensor} has no valid shape`);
  const [begin, end] = isSizeList(offsets) && offsets.length === 2 ? offsets : [];
  if (begin === undefined || end === undefined || end < begin)
    throw damaged(`${tensor} has no valid offsets`);
  if (elementCount(shape) * bytes !== end - begin)
    throw damaged(
      `${tensor} of shape [${shape.slice(0, 8).join(', ')}] doesn't fit its ${plural(end - begin, 'byte', 'bytes')}`,
    );
  return { dtype: dtype as string, shape, begin, end };
}

// At most 16 sizes below 2^53: their product stays finite, so a false one can't hide as NaN.
function isSizeList(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.length <= 16 &&
    value.every((size) => Number.isSafeInteger(size) && size >= 0)
  );
}

function checkCover(ranges: [number, number][], dataBytes: number, damaged: Damaged): void {
  ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let position = 0;
  for (const [begin, end] of ranges) {
    if (begin < position) throw damaged('two of its tensors overlap');
    if (begin > position) throw damaged('there is a hole between its tensors');
    position = end;
  }
  if (position > dataBytes)
    throw damaged(
      `${plural(position - dataBytes, 'byte of its tensors is', 'bytes of its tensors are')} missing`,
    );
  if (position < dataBytes)
    throw damaged(
      `${plural(dataBytes - position, 'byte at its end belongs', 'bytes at its end belong')} to no tensor`,
    );
}

function checkMetadata(value: unknown, damaged: Damaged): Record<string, string> {
  if (value === undefined) return {};
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) ||
    Object.values(value).some((entry) => typeof entry !== 'string')
  )
    throw damaged('its metadata are not text');
  return value as Record<string, string>;
}
