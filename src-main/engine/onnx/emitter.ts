import type { DType, HostTensor, Shape } from '../tensor/tensor.ts';
import { inHalves, isHalf } from '../tensor/half.ts';
import { elementCount, i64 } from '../tensor/tensor.ts';
import type { AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto } from './schema.ts';

/** TensorProto.DataType. */
export const dataTypes: Record<DType, number> = { f32: 1, u8: 2, i32: 6, i64: 7, bool: 9, f16: 10, bf16: 16 };

/**
 * Who will execute the model: ONNX Runtime on CPU or WebGPU (which know com.microsoft's fused operations), ONNX Runtime on
 * another device (`device`: the order of computation is ours, the operations are ONNX's own), or any runtime at all.
 */
export type Target = 'cpu' | 'webgpu' | 'device' | 'portable';

type AttributeValue =
  number | string | readonly number[] | { readonly float: number } | { readonly graph: GraphProto };

interface CastWeight {
  readonly from: string;
  /** The same in one axis, where there is one. */
  readonly flat: string | undefined;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Collects ONNX nodes and initializers; every result gets a fresh name. */
export class Emitter {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  /** Names of the constants that are shapes to be reshaped to. */
  readonly shapes = new Set<string>();
  /** Casts of stored weights, by their names: what they are made of, and to what. */
  readonly castWeights = new Map<string, CastWeight>();
  /** Names of what is made of stored weights to be cast. */
  readonly madeOfWeights = new Set<string>();
  /** Names of shapes that no runtime may know before a run, and what is shaped so. */
  readonly lateShapes = new Set<string>();
  readonly known: ValueInfoProto[] = [];
  private count = 0;
  private readonly shared = new Map<string, string>();

  /** `prefix` keeps the names of a loop's body apart from those around it, which it may use. */
  constructor(
    readonly target: Target,
    private readonly prefix = '',
    /** Whether attention is one operation on WebGPU: only where it came out right on this very device. */
    readonly fusedAttention = false,
    /** Whether the graph has gradients. */
    readonly learns = false,
  ) {}

  /** Adds a node of ONNX's own domain; returns the name of its (first) output. `''` leaves an optional input out. */
  emit(op: string, inputs: readonly string[], attributes: Record<string, AttributeValue> = {}): string {
    return this.add(op, '', inputs, attributes);
  }

  /** Adds a node of ONNX Runtime's contributed operations. */
  emitFused(op: string, inputs: readonly string[], attributes: Record<string, AttributeValue> = {}): string {
    return this.add(op, 'com.microsoft', inputs, attributes);
  }

  /**
   * A loop of `times` rounds. `body` gets an emitter of its own (names from outside may be used in it), the round's number and
   * the carried values, and returns the next carried values and what each round adds to the results. Returns the last
   * carried values, then the results, each with the rounds as a new first axis. All are f32, of the shapes given.
   */
  loop(
    times: number,
    carried: readonly { readonly start: string; readonly shape: Shape }[],
    resultShapes: readonly Shape[],
    body: (
      e: Emitter,
      round: string,
      carried: readonly string[],
    ) => { carried: readonly string[]; results: readonly string[] },
  ): string[] {
    const prefix = `${this.prefix}loop${this.count++}_`;
    const inner = new Emitter(this.target, prefix);
    const [round, goOn] = [`${prefix}round`, `${prefix}on`];
    const inputs = carried.map(({ shape }, i) => valueInfo(`${prefix}in${i}`, 'f32', shape));
    const made = body(
      inner,
      round,
      inputs.map(({ name }) => name),
    );
    const produced = [goOn, ...made.carried, ...made.results].map((name) => inner.emit('Identity', [name]));
    const [goesOn = '', ...rest] = produced;
    const shapes = [...carried.map(({ shape }) => shape), ...resultShapes];
    const graph: GraphProto = {
      name: prefix,
      node: inner.nodes,
      initializer: inner.initializers,
      input: [valueInfo(round, 'i64', []), valueInfo(goOn, 'bool', []), ...inputs],
      output: [
        valueInfo(goesOn, 'bool', []),
        ...rest.map((name, i) => valueInfo(name, 'f32', shapes[i] as Shape)),
      ],
    };
    const count = this.constant({ dtype: 'i64', shape: [], data: BigInt64Array.of(BigInt(times)) });
    const outputs = shapes.map(() => `${this.prefix}v${this.count++}`);
    const input = [count, '', ...carried.map(({ start }) => start)];
    const attribute = [attributeProto(['body', { graph }])];
    this.nodes.push({ input, output: outputs, name: prefix, op_type: 'Loop', domain: '', attribute });
    return outputs;
  }

  /** An initializer with these values; small equal ones are shared, and large ones of the same key. */
  constant(tensor: HostTensor, sharedAs?: string): string {
    const bytes = new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
    const small = bytes.length <= 256 ? `${tensor.dtype}[${tensor.shape.join()}]${bytes.join()}` : undefined;
    const key = sharedAs ?? small;
    const known = key && this.shared.get(key);
    if (known) return known;
    const name = `${this.prefix}constant_${this.count++}`;
    this.initializers.push({ name, dims: tensor.shape, data_type: dataTypes[tensor.dtype], raw_data: bytes });
    if (key) this.shared.set(key, name);
    return name;
  }

  castWeight(from: string, dtype: DType, shape: Shape, flat?: string): string {
    const name = this.emit('Cast', [from], { to: dataTypes[dtype] });
    this.castWeights.set(name, { from, flat, dtype, shape });
    return name;
  }

  /**
   * Another cast of the same weight; the first one is left out of the graph when nobody uses it. In one axis, for ONNX Runtime gives a
   * value the buffer of an earlier one of the same shape, and so those of weights of one size have one between them.
   */
  castAgain(name: string): string {
    const known = this.castWeights.get(name);
    if (!known) return name;
    const { from, dtype, shape } = known;
    const flat = known.flat ?? this.reshape(from, [elementCount(shape)]);
    return this.reshape(this.emit('Cast', [flat], { to: dataTypes[dtype] }), shape);
  }

  /**
   * A value of `dtype` that is made of weights alone, in one axis, through a reshape that ONNX Runtime can't do beforehand: what is made of
   * it is made at each run, and not kept. Another reshape must not follow at once: the two would be joined.
   */
  late(x: string, dtype: DType, length: number): string {
    const target = this.constant(i64([1], [length]), `late ${length}`);
    this.lateShapes.add(target);
    const name = this.emit('Reshape', [x, target]);
    this.known.push(valueInfo(name, dtype, [length]));
    return name;
  }

  integers(values: readonly number[]): string {
    return this.constant(i64([values.length], values));
  }

  float(value: number, dtype: DType = 'f32'): string {
    return this.floats({ dtype: 'f32', shape: [], data: Float32Array.of(value) }, dtype);
  }

  /** These values in the floating-point type that the operation computes in. */
  floats(tensor: HostTensor<'f32'>, dtype: DType): string {
    return this.constant(isHalf(dtype) ? inHalves(tensor, dtype) : tensor);
  }

  /** What `make` does with x, in f32 where x is of 16 bits. */
  inSingle(x: string, dtype: DType, make: (x: string) => string): string {
    if (!isHalf(dtype)) return make(x);
    const wide = this.emit('Cast', [x], { to: dataTypes.f32 });
    return this.emit('Cast', [make(wide)], { to: dataTypes[dtype] });
  }

  /** Zero, in one axis, that is known on the device only after x, one number. */
  zeroAfter(x: string, dtype: DType): string {
    // In one axis: ONNX Runtime moves transpositions through tensors of more axes, and WebGPU has none for booleans.
    const one = this.reshape(x, [1]);
    return this.emit('Cast', [this.emit('Less', [one, one])], { to: dataTypes[dtype] });
  }

  /** The values along `axis` of one part after the other; a single part as it is. */
  concat(parts: readonly string[], axis: number): string {
    return parts.length === 1 ? (parts[0] as string) : this.emit('Concat', parts, { axis });
  }

  reshape(x: string, shape: Shape): string {
    const target = this.integers(shape);
    this.shapes.add(target);
    return this.emit('Reshape', [x, target]);
  }

  /**
   * [...shape, -1] with its first axes in another order. ONNX Runtime gathers rows on all cores, and transposes on one: better
   * where there are some MB.
   */
  transposeRows(x: string, shape: Shape, permutation: readonly number[]): string {
    const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
    let rows = [0];
    for (const axis of permutation) {
      const [size, stride] = [shape[axis] as number, strides[axis] as number];
      rows = rows.flatMap((row) => Array.from({ length: size }, (_, i) => row + i * stride));
    }
    const order: HostTensor<'i32'> = { dtype: 'i32', shape: [rows.length], data: Int32Array.from(rows) };
    const index = this.constant(order, `rows ${shape.join()} by ${permutation.join()}`);
    return this.emit('Gather', [this.reshape(x, [rows.length, -1]), index], { axis: 0 });
  }

  /** The stretch [from, to) of one axis, which is `length` long. */
  part(x: string, axis: number, [from, to]: readonly [number, number], length: number): string {
    if (to - from === length) return x;
    return this.emit('Slice', [x, this.integers([from]), this.integers([to]), this.integers([axis])]);
  }

  /** The part from `starts` to `ends` along all axes, in steps. */
  slice(x: string, starts: readonly number[], ends: readonly number[], steps?: readonly number[]): string {
    const axes = starts.map((_, axis) => axis);
    const inputs = [x, this.integers(starts), this.integers(ends), this.integers(axes)];
    return this.emit('Slice', steps ? [...inputs, this.integers(steps)] : inputs);
  }

  private add(
    op: string,
    domain: string,
    input: readonly string[],
    attributes: Record<string, AttributeValue>,
  ): string {
    const name = `${this.prefix}v${this.count++}`;
    const attribute = Object.entries(attributes).map(attributeProto);
    this.nodes.push({ input, output: [name], name: `${op}_${name}`, op_type: op, domain, attribute });
    return name;
  }
}

function attributeProto([name, value]: [string, AttributeValue]): AttributeProto {
  if (typeof value === 'number') return { name, type: 2, i: value };
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) };
  if ('graph' in value) return { name, type: 5, g: value.graph };
  return 'float' in value ? { name, type: 1, f: value.float } : { name, type: 7, ints: value };
}

export function valueInfo(name: string, dtype: DType, shape: Shape) {
  const dim = shape.map((size) => ({ dim_value: size }));
  return { name, type: { tensor_type: { elem_type: dataTypes[dtype], shape: { dim } } } };
}
