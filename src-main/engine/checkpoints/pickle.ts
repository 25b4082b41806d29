/** A value in a pickle. Lists are arrays, tuples `Tuple`s, dicts Maps; whatever a callable would make is up to `Makers`. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Tuple
  | Global
  | Made;

export class Tuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** A name the pickle refers to, such as `collections.OrderedDict`. Only a name: nothing is imported. */
export class Global {
  constructor(readonly name: string) {}
}

/** What `Makers` return. A plain instance of this class stands for an object that nobody needs. */
export class Made {
  readonly isMade = true;
}

/** The few objects a pickle may make; all others are refused, and nothing is ever called by a name from the file. */
export interface Makers {
  /** Is this name known? `false` refuses the pickle with `UnsafePickle`. */
  allowed(name: string): boolean;
  /** The object that calling `name` with `args` stands for. */
  make(name: string, args: readonly PickleValue[]): PickleValue;
  /** The object a persistent id stands for. */
  persistent(id: PickleValue): PickleValue;
}

/** The pickle wants something that is not on the list of known names. */
export class UnsafePickle extends Error {
  constructor(readonly wanted: string) {
    super(`the pickle asks for ${wanted}`);
  }
}

/** The bytes are not a pickle, or it is cut short. */
export class BrokenPickle extends Error {}

/**
 * Interprets one pickle as data (Python's pickletools lists the opcodes; those that torch.save, protocol 2 to 5, writes).
 * Returns its value and where it ended. Errors: `UnsafePickle`, `BrokenPickle`.
 */
export function unpickle(bytes: Uint8Array, makers: Makers, start = 0): { value: PickleValue; end: number } {
  const machine = new Machine(bytes, makers, start);
  return { value: machine.run(), end: machine.position };
}

// A whole SD checkpoint with its optimizer takes some 300,000.
const maxSteps = 4_000_000;

class Machine {
  private stack: PickleValue[] = [];
  private readonly marked: PickleValue[][] = [];
  private readonly memo = new Map<number, PickleValue>();
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly makers: Makers,
    public position: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): PickleValue {
    for (let steps = 0; steps < maxSteps; steps++) {
      const code = this.byte();
      if (code === 0x2e) return this.pop();
      const operation = operations[code];
      if (!operation) throw new BrokenPickle(`unknown pickle opcode ${code}`);
      operation(this);
    }
    throw new BrokenPickle('the pickle is absurdly long');
  }

  push(value: PickleValue): void {
    this.stack.push(value);
  }

  pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined) throw new BrokenPickle('the pickle takes more than it has');
    return value;
  }

  top(): PickleValue {
    const value = this.stack.at(-1);
    if (value === undefined) throw new BrokenPickle('the pickle takes more than it has');
    return value;
  }

  mark(): void {
    this.marked.push(this.stack);
    this.stack = [];
  }

  /** Everything above the last mark. */
  popToMark(): PickleValue[] {
    const items = this.stack;
    const below = this.marked.pop();
    if (!below) throw new BrokenPickle('the pickle has no mark where it needs one');
    this.stack = below;
    return items;
  }

  remember(key: number): void {
    this.memo.set(key, this.top());
  }

  rememberNext(): void {
    this.remember(this.memo.size);
  }

  recall(key: number): void {
    const value = this.memo.get(key);
    if (value === undefined) throw new BrokenPickle('the pickle recalls what it never kept');
    this.push(value);
  }

  append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw new BrokenPickle('the pickle appends to something that is not a list');
    for (const item of items) list.push(item);
  }

  setItems(items: readonly PickleValue[]): void {
    const dict = this.top();
    // Dicts of inert objects (a saved trainer's settings) are dropped with them.
    if (dict instanceof Made) return;
    if (!(dict instanceof Map) || items.length % 2)
      throw new BrokenPickle('the pickle sets items of something that is not a dict');
    for (let i = 0; i < items.length; i += 2) dict.set(items[i] as PickleValue, items[i + 1] as PickleValue);
  }

  global(module: PickleValue, name: PickleValue): void {
    if (typeof module !== 'string' || typeof name !== 'string')
      throw new BrokenPickle('the pickle names something that is not a name');
    const full = `${module}.${name}`;
    if (!this.makers.allowed(full)) throw new UnsafePickle(full.slice(0, 200));
    this.push(new Global(full));
  }

  reduce(): void {
    const args = this.pop();
    const callable = this.pop();
    if (!(callable instanceof Global) || !(args instanceof Tuple))
      throw new BrokenPickle('the pickle calls something that is not a name');
    this.push(this.makers.make(callable.name, args.items));
  }

  persistent(): void {
    this.push(this.makers.persistent(this.pop()));
  }

  refuse(what: string): never {
    throw new UnsafePickle(what);
  }

  byte(): number {
    const value = this.bytes[this.position++];
    if (value === undefined) throw new BrokenPickle('the pickle is cut off');
    return value;
  }

  take(length: number): Uint8Array {
    const end = this.position + length;
    if (end > this.bytes.length) throw new BrokenPickle('the pickle is cut off');
    const taken = this.bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }

  text(length: number): string {
    return new TextDecoder().decode(this.take(length));
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0 || end - this.position > 1000) throw new BrokenPickle('the pickle is cut off');
    const line = this.text(end - this.position);
    this.position++;
    return line;
  }

  number(length: 2 | 4 | 8, read: (view: DataView, at: number) => number): number {
    const at = this.position;
    this.take(length);
    return read(this.view, at);
  }

  u16 = () => this.number(2, (view, at) => view.getUint16(at, true));
  u32 = () => this.number(4, (view, at) => view.getUint32(at, true));
  i32 = () => this.number(4, (view, at) => view.getInt32(at, true));
  u64 = () => this.number(8, (view, at) => Number(view.getBigUint64(at, true)));
  f64 = () => this.number(8, (view, at) => view.getFloat64(at));

  /** Two's complement, little-endian, of any length; a number where it fits. */
  long(length: number): number | bigint {
    if (length > 64) throw new BrokenPickle('the pickle holds an absurd number');
    const bytes = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number);
    value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
}

const operations: Readonly<Record<number, (m: Machine) => void>> = {
  // Protocol and framing
  0x80: (m) => void m.byte(),
  0x95: (m) => void m.u64(),
  // Stack and memo
  0x28: (m) => m.mark(),
  0x30: (m) => void m.pop(),
  0x31: (m) => void m.popToMark(),
  0x32: (m) => m.push(m.top()),
  0x70: (m) => m.remember(Number(m.line())),
  0x71: (m) => m.remember(m.byte()),
  0x72: (m) => m.remember(m.u32()),
  0x94: (m) => m.rememberNext(),
  0x67: (m) => m.recall(Number(m.line())),
  0x68: (m) => m.recall(m.byte()),
  0x6a: (m) => m.recall(m.u32()),
  // Constants, numbers, text, bytes
  0x4e: (m) => m.push(null),
  0x88: (m) => m.push(true),
  0x89: (m) => m.push(false),
  0x4a: (m) => m.push(m.i32()),
  0x4b: (m) => m.push(m.byte()),
  0x4d: (m) => m.push(m.u16()),
  0x8a: (m) => m.push(m.long(m.byte())),
  0x8b: (m) => m.push(m.long(m.u32())),
  0x47: (m) => m.push(m.f64()),
  0x58: (m) => m.push(m.text(m.u32())),
  0x8c: (m) => m.push(m.text(m.byte())),
  0x8d: (m) => m.push(m.text(m.u64())),
  0x54: (m) => m.push(m.text(m.u32())),
  0x55: (m) => m.push(m.text(m.byte())),
  0x42: (m) => m.push(m.take(m.u32())),
  0x43: (m) => m.push(m.take(m.byte())),
  0x8e: (m) => m.push(m.take(m.u64())),
  0x96: (m) => m.push(m.take(m.u64())),
  // Tuples, lists, dicts; sets are kept as lists, nothing here needs them
  0x29: (m) => m.push(new Tuple([])),
  0x74: (m) => m.push(new Tuple(m.popToMark())),
  0x85: (m) => m.push(new Tuple([m.pop()])),
  0x86: (m) => m.push(new Tuple([m.pop(), m.pop()].reverse())),
  0x87: (m) => m.push(new Tuple([m.pop(), m.pop(), m.pop()].reverse())),
  0x5d: (m) => m.push([]),
  0x8f: (m) => m.push([]),
  0x6c: (m) => m.push(m.popToMark()),
  0x91: (m) => m.push(m.popToMark()),
  0x61: (m) => m.append([m.pop()]),
  0x65: (m) => m.append(m.popToMark()),
  0x90: (m) => m.append(m.popToMark()),
  0x7d: (m) => m.push(new Map()),
  0x73: (m) => m.setItems([m.pop(), m.pop()].reverse()),
  0x75: (m) => m.setItems(m.popToMark()),
  // Names, and what is made by them. BUILD only adds attributes, which weights don't need.
  0x63: (m) => m.global(m.line(), m.line()),
  0x93: (m) => {
    const name = m.pop();
    m.global(m.pop(), name);
  },
  0x52: (m) => m.reduce(),
  0x81: (m) => m.reduce(),
  0x51: (m) => m.persistent(),
  0x62: (m) => void m.pop(),
  0x92: (m) => m.refuse('an object with keyword arguments'),
  0x69: (m) => m.refuse(`${m.line()}.${m.line()}`),
  0x6f: (m) => m.refuse('an object of an arbitrary class'),
  0x82: (m) => m.refuse('an extension'),
  0x83: (m) => m.refuse('an extension'),
  0x84: (m) => m.refuse('an extension'),
};
