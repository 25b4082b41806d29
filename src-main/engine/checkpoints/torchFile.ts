import { problem } from '../../../src-shared/messages/index.ts';
import type { DType, FileTensor } from '../tensor/tensor.ts';
import { bytesPerElement, elementCount } from '../tensor/tensor.ts';
import type { StridedTensor } from './denseCopies.ts';
import { withFile, type OpenFile } from './files.ts';
import { BrokenPickle, Made, Tuple, UnsafePickle, unpickle, Global, type PickleValue } from './pickle.ts';
import { stridedView, type OtherTensor } from './otherTypes.ts';
import { readZip } from './zip.ts';
import { plural } from '../../../src-shared/plural.ts';

/** The tensors of a `torch.save`d dict: `.bin`, `.ckpt`, `.pt`. */
export interface TorchFile {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, FileTensor>;
  /** Float tensors in another order than row-major; they are among `otherTypes` too. */
  readonly strided: ReadonlyMap<string, StridedTensor>;
  /** Tensors that can't be used as they are (f64, strided views …) and what they are. */
  readonly otherTypes: ReadonlyMap<string, OtherTensor>;
  /** Plain numbers and texts beside the tensors, such as `global_step`. */
  readonly values: ReadonlyMap<string, number | string>;
  /** Names of everything else, such as numpy's numbers. */
  readonly unread: readonly string[];
}

const maxPickleBytes = 8 << 20;

/**
 * Reads a torch file, in the zip format (torch ≥ 1.6) or the older one, without running anything in it: the
 * pickle is interpreted as data, and names other than those of tensors are refused. No tensor data are read.
 * Errors: `file.missing`, `weights.damaged`, `weights.unsupported`, `weights.unsafe`.
 */
export function readTorchFile(path: string): TorchFile {
  return withFile(path, (file) => {
    try {
      if (file.size < 16) throw new BrokenPickle(`${plural(file.size, 'byte is', 'bytes are')} too few`);
      const isZip = new DataView(file.bytes(0, 4).buffer).getUint32(0, true) === 0x04034b50;
      return isZip ? readZipped(file) : readLegacy(file);
    } catch (error) {
      if (error instanceof UnsafePickle)
        throw problem('weights.unsafe', { file: path, name: error.wanted }, error);
      if (error instanceof BrokenPickle)
        throw problem('weights.damaged', { file: path, why: error.message }, error);
      throw error;
    }
  });
}

/** A block of elements that tensors are views of. */
class Storage extends Made {
  constructor(
    readonly type: string,
    readonly key: string,
    readonly elements: number,
  ) {
    super();
  }
}

class Tensor extends Made {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    super();
  }
}

function readZipped(file: OpenFile): TorchFile {
  const entries = readZip(file);
  const pickleName = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  const pickle = pickleName === undefined ? undefined : entries.get(pickleName);
  if (pickleName === undefined || !pickle)
    throw problem('weights.standIn', {
      ...{
        file: file.path,
        what: 'a zip archive',
        instead: 'unpack it, and give the file of weights that is in it',
      },
    });
  const folder = pickleName.slice(0, -'data.pkl'.length);
  const order = entries.get(`${folder}byteorder`);
  if (order && new TextDecoder().decode(file.bytes(order.offset, Math.min(order.size, 16))) !== 'little')
    throw problem('weights.unsupported', { file: file.path, why: 'it was written on a big-endian machine' });
  if (pickle.size > maxPickleBytes) throw new BrokenPickle('its list of tensors is absurdly long');
  const { value } = unpickle(file.bytes(pickle.offset, pickle.size), makers);
  return collect(file, value, (storage) => entries.get(`${folder}data/${storage.key}`));
}

/** Before torch 1.6: pickles of a magic number, version, system and value, then of the storage keys, then raw storages. */
function readLegacy(file: OpenFile): TorchFile {
  const bytes = file.bytes(0, Math.min(file.size, maxPickleBytes));
  const storages = new Map<string, Storage>();
  const noting = { ...makers, persistent: (id: PickleValue) => noteStorage(storages, makers.persistent(id)) };
  const magic = unpickle(bytes, noting);
  if (magic.value !== 0x1950a86a20f9469cfc6cn) throw new BrokenPickle('it is not a torch checkpoint');
  const version = unpickle(bytes, noting, magic.end);
  const system = unpickle(bytes, noting, version.end);
  if (!(system.value instanceof Map) || system.value.get('little_endian') !== true)
    throw problem('weights.unsupported', { file: file.path, why: 'it was written on a big-endian machine' });
  const value = unpickle(bytes, noting, system.end);
  const keys = unpickle(bytes, noting, value.end);
  if (!Array.isArray(keys.value)) throw new BrokenPickle('its list of storages is missing');
  const places = new Map<string, { offset: number; size: number }>();
  let position = keys.end;
  for (const key of keys.value) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage) throw new BrokenPickle('its list of storages is wrong');
    const size = storage.elements * (storageBytes[storage.type] ?? 0);
    const count = new DataView(file.bytes(position, 8).buffer).getBigInt64(0, true);
    if (count !== BigInt(storage.elements))
      throw new BrokenPickle('its storages have other sizes than it says');
    places.set(storage.key, { offset: position + 8, size });
    position += 8 + size;
    if (position > file.size) throw new BrokenPickle('it is cut off');
  }
  return collect(file, value.value, (storage) => places.get(storage.key));
}

function noteStorage(storages: Map<string, Storage>, storage: PickleValue): PickleValue {
  if (storage instanceof Storage) storages.set(storage.key, storage);
  return storage;
}

/** A dict of tensors, or one under `state_dict` (lightning's checkpoints). */
function collect(
  file: OpenFile,
  root: PickleValue,
  place: (storage: Storage) => { offset: number; size: number } | undefined,
): TorchFile {
  if (!(root instanceof Map)) throw new BrokenPickle('it holds no dict of tensors');
  const inner = root.get('state_dict');
  const dict = inner instanceof Map ? inner : root;
  const tensors = new Map<string, FileTensor>();
  const otherTypes = new Map<string, OtherTensor>();
  const values = new Map<string, number | string>();
  const strided = new Map<string, StridedTensor>();
  const unread: string[] = [];
  // The last are the web UI's textual inversions.
  for (const [prefix, part] of [
    ['', root],
    ['', dict],
    ['string_to_param.', root.get('string_to_param')],
  ] as const)
    if (part instanceof Map)
      for (const [key, value] of part) if (typeof key === 'string') take(prefix + key, value);
  return { file: file.path, tensors, strided, otherTypes, values, unread };

  function take(name: string, value: PickleValue): void {
    if (typeof value === 'number' || typeof value === 'string') values.set(name, value);
    else if (!(value instanceof Tensor)) unread.push(name);
    if (!(value instanceof Tensor)) return;
    const dtype = ourTypes[value.storage.type];
    const other = isDense(value)
      ? otherNames[value.storage.type]
      : `${dtype ?? value.storage.type} ${stridedView}`;
    if (!dtype || !isDense(value)) {
      const { shape, offset, storage } = value;
      const start = (place(storage)?.offset ?? 0) + offset * (storageBytes[storage.type] ?? 0);
      otherTypes.set(name, { dtype: other ?? storage.type, shape, file: file.path, offset: start });
      if (dtype && isPermuted(value)) {
        const whole = { storage, offset: 0, shape: [storage.elements] };
        const { offset: first } = locate(file, name, whole, dtype, place(storage));
        strided.set(name, {
          dtype,
          shape,
          strides: value.strides,
          start: first + offset * bytesPerElement[dtype],
        });
      }
    } else tensors.set(name, locate(file, name, value, dtype, place(value.storage)));
  }
}

function locate(
  file: OpenFile,
  name: string,
  { storage, offset, shape }: Pick<Tensor, 'storage' | 'offset' | 'shape'>,
  dtype: DType,
  place: { offset: number; size: number } | undefined,
): FileTensor {
  const bytes = bytesPerElement[dtype];
  const byteLength = elementCount(shape) * bytes;
  const start = offset * bytes;
  if (
    !place ||
    place.size < storage.elements * bytes ||
    start + byteLength > place.size ||
    place.offset + place.size > file.size
  )
    throw problem('weights.damaged', {
      file: file.path,
      why: `the tensor "${name}" lies outside its storage`,
    });
  return { dtype, shape, file: file.path, offset: place.offset + start, byteLength };
}

/** Floats inside their storage, and no more than it holds: an expanded view could have any size. */
function isPermuted({ storage, offset, shape, strides }: Tensor): boolean {
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * (strides[axis] as number), offset);
  const isFloat = ['FloatStorage', 'HalfStorage', 'BFloat16Storage'].includes(storage.type);
  return isFloat && last < storage.elements && elementCount(shape) <= storage.elements;
}

/** Row-major without gaps; the stride of an axis of size 1 says nothing. */
function isDense({ shape, strides }: Tensor): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (size !== 1 && strides[axis] !== expected) return elementCount(shape) === 0;
    expected *= size;
  }
  return true;
}

const ourTypes: Readonly<Record<string, DType>> = {
  FloatStorage: 'f32',
  HalfStorage: 'f16',
  BFloat16Storage: 'bf16',
  LongStorage: 'i64',
  IntStorage: 'i32',
  ByteStorage: 'u8',
  BoolStorage: 'bool',
};

/** Those that can be read all the same, with safetensors' names. */
const otherNames: Readonly<Record<string, string>> = {
  DoubleStorage: 'F64',
  ShortStorage: 'I16',
  CharStorage: 'I8',
};

const storageBytes: Readonly<Record<string, number>> = {
  ...Object.fromEntries(Object.entries(ourTypes).map(([name, dtype]) => [name, bytesPerElement[dtype]])),
  ...{ DoubleStorage: 8, ShortStorage: 2, CharStorage: 1, ComplexFloatStorage: 8, ComplexDoubleStorage: 16 },
};

/** Names that trainers leave in checkpoints beside the weights. They are accepted, and make nothing. */
const inertNames = new Set([
  ...['_codecs.encode', 'collections.Counter', 'numpy.dtype', 'torch.device', 'torch.Size', 'torch.Tensor'],
  ...['numpy.core.multiarray.scalar', 'numpy._core.multiarray.scalar', 'torch.nn.parameter.Parameter'],
  ...[
    'builtins.set',
    '__builtin__.set',
    'builtins.int',
    '__builtin__.int',
    'builtins.float',
    '__builtin__.float',
  ],
  ...['pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint', 'argparse.Namespace'],
]);

const dictNames = new Set(['collections.OrderedDict', 'collections.defaultdict']);

const makers = {
  allowed: (name: string) =>
    name.startsWith('torch._utils._rebuild_') || // Only the three below make anything.
    name === 'torch._tensor._rebuild_from_type_v2' ||
    dictNames.has(name) ||
    inertNames.has(name) ||
    /^torch\.(float|bfloat|int|uint|complex|bool)\d*$/.test(name) ||
    Object.hasOwn(storageBytes, name.replace(/^torch\./, '')),
  make: makeObject,
  persistent(id: PickleValue): PickleValue {
    const [kind, type, key, , elements] = id instanceof Tuple ? id.items : [];
    const typeName = type instanceof Global ? type.name.replace(/^torch\./, '') : '';
    if (
      kind !== 'storage' ||
      typeof key !== 'string' ||
      !isSize(elements) ||
      !Object.hasOwn(storageBytes, typeName)
    )
      throw new BrokenPickle('one of its storages is not described rightly');
    return new Storage(typeName, key, elements);
  },
};

function makeObject(name: string, args: readonly PickleValue[]): PickleValue {
  const [first, offset, shape, strides] = args;
  if (dictNames.has(name)) return dictOf(first);
  if (name === 'torch._utils._rebuild_parameter') return first instanceof Tensor ? first : new Made();
  if (name === 'torch._tensor._rebuild_from_type_v2')
    return first instanceof Global && shape instanceof Tuple && !first.name.includes('from_type')
      ? makeObject(first.name, shape.items)
      : new Made();
  if (name !== 'torch._utils._rebuild_tensor_v2' && name !== 'torch._utils._rebuild_tensor')
    return new Made();
  const sizes = sizesOf(shape);
  const steps = sizesOf(strides);
  if (!(first instanceof Storage) || !isSize(offset) || !sizes || steps?.length !== sizes.length)
    throw new BrokenPickle('one of its tensors is not described rightly');
  return new Tensor(first, offset, sizes, steps);
}

function isList(value: PickleValue | readonly PickleValue[]): value is readonly PickleValue[] {
  return Array.isArray(value);
}

/** Python 2 pickled an OrderedDict as a call with its list of pairs. */
function dictOf(pairs: PickleValue | undefined): Map<PickleValue, PickleValue> {
  const dict = new Map<PickleValue, PickleValue>();
  for (const pair of Array.isArray(pairs) ? pairs : []) {
    const items = pair instanceof Tuple ? pair.items : pair;
    const [key, value]: readonly PickleValue[] = isList(items) ? items : [];
    if (key !== undefined && value !== undefined) dict.set(key, value);
  }
  return dict;
}

function sizesOf(value: PickleValue | undefined): readonly number[] | undefined {
  return value instanceof Tuple && value.items.length <= 16 && value.items.every(isSize)
    ? value.items
    : undefined;
}

function isSize(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
