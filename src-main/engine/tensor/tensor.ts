/** Element types, named as in the IR's printout; `f16`/`bf16` are held as their bits in a Uint16Array. */
export type DType = 'f32' | 'f16' | 'bf16' | 'i64' | 'i32' | 'u8' | 'bool';

export type Shape = readonly number[];

export interface HostArrays {
  f32: Float32Array;
  f16: Uint16Array;
  bf16: Uint16Array;
  i64: BigInt64Array;
  i32: Int32Array;
  u8: Uint8Array;
  bool: Uint8Array;
}

/** A dense row-major array in host memory. `data.length` is the product of `shape`. */
export interface HostTensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: Shape;
  readonly data: HostArrays[D];
}

export const bytesPerElement: Record<DType, number> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  i64: 8,
  i32: 4,
  u8: 1,
  bool: 1,
};

export function elementCount(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

interface Dims {
  readonly 2: readonly [number, number];
  readonly 3: readonly [number, number, number];
  readonly 4: readonly [number, number, number, number];
  readonly 5: readonly [number, number, number, number, number];
}

/** The sizes of a shape whose rank is known. Throws where it is another: a fault of the program. */
function dims<R extends keyof Dims>(shape: Shape, rank: R): Dims[R] {
  if (hasRank(shape, rank)) return shape;
  throw new Error(`[${shape.join()}] is not of rank ${rank}`);
}

function hasRank<R extends keyof Dims>(shape: Shape, rank: R): shape is Dims[R] {
  return shape.length === rank;
}

export const dims2 = (shape: Shape): Dims[2] => dims(shape, 2);
export const dims3 = (shape: Shape): Dims[3] => dims(shape, 3);
export const dims4 = (shape: Shape): Dims[4] => dims(shape, 4);
export const dims5 = (shape: Shape): Dims[5] => dims(shape, 5);

/** The first two sizes of a shape and those behind them. Throws where there are fewer: a fault of the program. */
export function leadingDims([first, second, ...others]: Shape): readonly [number, number, ...number[]] {
  if (first === undefined || second === undefined) throw new Error('a rank of 2 or more is wanted');
  return [first, second, ...others];
}

/** An f32 tensor from numbers; zeros when `values` is left out. */
export function f32(shape: Shape, values?: ArrayLike<number>): HostTensor<'f32'> {
  return {
    dtype: 'f32',
    shape,
    data: values ? Float32Array.from(values) : new Float32Array(elementCount(shape)),
  };
}

/** The tensor, which a graph is known to give as f32. Throws where it gave none or another: a fault of the program. */
export function asF32(tensor: HostTensor | undefined): HostTensor<'f32'> {
  if (tensor && isF32(tensor)) return tensor;
  throw new Error(`an f32 tensor is wanted, not ${tensor?.dtype ?? 'nothing'}`);
}

function isF32(tensor: HostTensor): tensor is HostTensor<'f32'> {
  return tensor.dtype === 'f32';
}

/** An i64 tensor from integers. */
export function i64(shape: Shape, values: Iterable<number>): HostTensor<'i64'> {
  return { dtype: 'i64', shape, data: BigInt64Array.from(values, (value) => BigInt(value)) };
}

/** A dense row-major, little-endian array in a file: `byteLength` bytes from `offset`. Nothing of it is read. */
export interface FileTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly file: string;
  readonly offset: number;
  readonly byteLength: number;
}
