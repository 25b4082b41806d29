import { operand, type Value } from '../graph/ops.ts';
import { storedBytes, type TensorSource } from '../checkpoints/writeSafetensors.ts';
import { viewAs } from '../checkpoints/weights.ts';
import { elementCount, type HostTensor, type Shape } from '../tensor/tensor.ts';
import type { BlobFile } from './blobFile.ts';
import {
  milTypes,
  type MilType,
  type OperationProto,
  type TensorValueProto,
  type ValueProto,
  type ValueTypeProto,
} from './schema.ts';

/** A value of the program: its name, and its type. */
export interface Ref {
  readonly name: string;
  readonly type: MilType;
  readonly shape: Shape;
}

/** A graph's value that is stored: a parameter, or some of its rows. Its type is the one that is asked for. */
export interface Stored {
  readonly name: string;
  readonly tensor: TensorSource;
}

/** Floats of so many elements lie in `weight.bin`, fewer in the program: coremltools draws the line here too. */
const blobFrom = 10;

/** Collects the operations of a MIL program. */
export class Emitter {
  readonly operations: OperationProto[] = [];
  private readonly names: Set<string>;
  /** Of each operation, how many there are. */
  private readonly counts = new Map<string, number>();
  private readonly shared = new Map<string, Ref>();

  constructor(
    private readonly blobs: BlobFile,
    /** What a value of the graph is in the program, and the type that it has there. */
    private readonly known: { readonly made: Map<Value, Ref>; readonly stored: Map<Value, Stored> },
    /** The names of what the program is fed and gives. */
    reserved: Iterable<string>,
  ) {
    this.names = new Set(reserved);
  }

  /** Adds an operation, whose inputs are named as in MIL's definition of it. Several values make one input where MIL takes a list. */
  emit(
    op: string,
    inputs: Readonly<Record<string, Ref | readonly Ref[] | undefined>>,
    type: MilType,
    shape: Shape,
    name = this.numbered(op),
  ): Ref {
    const named = Object.entries(inputs).flatMap(([key, given]) =>
      given === undefined
        ? []
        : [[key, { arguments: [given].flat().map((one) => ({ name: one.name })) }] as const],
    );
    this.add(op, name, valueType(type, shape), { inputs: Object.fromEntries(named) });
    return { name, type, shape };
  }

  /** An operand of a node, in `type`. */
  operand(node: { readonly inputs: readonly Value[] }, index: number, type: MilType): Ref {
    return this.value(operand(node.inputs, index), type);
  }

  /** A value of the graph in `type`; cast where it has another. `shape`: of a stored one, another than its own. */
  value(value: Value, type: MilType, shape: Shape = value.shape): Ref {
    const stored = this.known.stored.get(value);
    if (stored) return this.weight(stored, type, shape);
    if (value.op === 'constant') return this.constant(value.attributes.tensor, type, shape);
    return this.cast(this.own(value), type);
  }

  /** A value of the graph in the type that it has. */
  own(value: Value): Ref {
    const made = this.known.made.get(value);
    if (made) return made;
    return this.value(value, value.dtype === 'i64' || value.dtype === 'i32' ? 'int32' : 'fp32');
  }

  isStored(value: Value | undefined): boolean {
    return value !== undefined && this.known.stored.has(value);
  }

  cast(x: Ref, type: MilType): Ref {
    if (x.type === type) return x;
    return this.once(`${x.name} as ${type}`, () =>
      this.emit('cast', { x, dtype: this.string(type) }, type, x.shape),
    );
  }

  string(text: string): Ref {
    return this.immediate('string', [], { strings: { values: [text] } });
  }

  bool(value: boolean): Ref {
    return this.immediate('bool', [], { bools: { values: [value] } });
  }

  integer(value: number): Ref {
    return this.immediate('int32', [], { ints: { values: [value] } });
  }

  integers(values: readonly number[]): Ref {
    return this.immediate('int32', [values.length], { ints: { values: [...values] } });
  }

  number(value: number, type: MilType): Ref {
    return this.constant({ dtype: 'f32', shape: [], data: Float32Array.of(value) }, type);
  }

  constant(tensor: HostTensor, type: MilType, shape: Shape = tensor.shape): Ref {
    if (type === 'int32') {
      const values = Array.from(tensor.data, Number);
      return this.immediate(type, shape, { ints: { values } });
    }
    if (elementCount(shape) < blobFrom) return this.inProgram({ name: '', tensor }, type, shape);
    return this.weight({ name: this.numbered('table'), tensor }, type, shape);
  }

  /** A constant that is known by its name, however often it is asked for. */
  table(name: string, tensor: HostTensor<'f32'>, type: MilType): Ref {
    return this.weight({ name, tensor }, type, tensor.shape);
  }

  /** A stored tensor, held once in each type and shape. */
  private weight(stored: Stored, type: MilType, shape: Shape): Ref {
    if (elementCount(shape) < blobFrom) return this.inProgram(stored, type, shape);
    return this.once(`${stored.name} ${type} ${shape.join()}`, () => {
      const name = this.unused(stored.name);
      const its = valueType(type, shape);
      const offset = this.blobs.add({ ...stored, dtype: type === 'fp16' ? 'f16' : 'f32' });
      const blobFileValue = { fileName: '@model_path/weights/weight.bin', offset };
      this.add('const', name, its, { value: { type: its, blobFileValue } });
      return { name, type, shape };
    });
  }

  private inProgram(stored: Stored, type: MilType, shape: Shape): Ref {
    const bytes = Buffer.concat([...storedBytes({ ...stored, dtype: type === 'fp16' ? 'f16' : 'f32' })]);
    if (type === 'fp16') return this.immediate(type, shape, { bytes: { values: bytes } });
    return this.immediate(type, shape, { floats: { values: [...viewAs('f32', Uint8Array.from(bytes))] } });
  }

  private immediate(type: MilType, shape: Shape, tensor: TensorValueProto): Ref {
    return this.once(`${type} ${shape.join()} ${JSON.stringify(tensor)}`, () => {
      const name = this.numbered('const');
      const its = valueType(type, shape);
      this.add('const', name, its, { value: { type: its, immediateValue: { tensor } } });
      return { name, type, shape };
    });
  }

  private add(
    type: string,
    name: string,
    its: ValueTypeProto,
    { inputs = {}, value }: { inputs?: OperationProto['inputs']; value?: ValueProto },
  ): void {
    const text = {
      type: valueType('string', []),
      immediateValue: { tensor: { strings: { values: [name] } } },
    };
    const attributes = { name: text, ...(value && { val: value }) };
    this.operations.push({ type, inputs, outputs: [{ name, type: its }], attributes });
  }

  /** A name that begins so, as MIL allows them, and that no other value has. */
  private unused(wish: string): string {
    const base = wish.replace(/[^A-Za-z0-9_]/g, '_');
    let name = base;
    for (let n = 1; this.names.has(name); n++) name = `${base}_${n}`;
    this.names.add(name);
    return name;
  }

  private numbered(op: string): string {
    const count = this.counts.get(op) ?? 0;
    this.counts.set(op, count + 1);
    return this.unused(`${op}_${count}`);
  }

  private once(key: string, make: () => Ref): Ref {
    const ref = this.shared.get(key) ?? make();
    this.shared.set(key, ref);
    return ref;
  }
}

export function valueType(type: MilType, shape: Shape): ValueTypeProto {
  const dimensions = shape.map((size) => ({ constant: { size } }));
  return { tensorType: { dataType: milTypes[type], rank: shape.length, dimensions } };
}
