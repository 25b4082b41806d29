import { add, input, mul, reshape, square, sub, sum } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { Session } from '../runtime/session.ts';
import { Tensor } from '../runtime/tensor.ts';
import { f32 } from '../tensor/tensor.ts';
import type { Transform } from './transforms.ts';

/** Elements updated at a time (1 MB): temporaries of a run stay in cache, and both halves of them are worth a thread. */
const chunkElements = 1 << 18;

type Arrays = Readonly<Record<string, Float32Array>>;

/** An elementwise graph over arrays of one length, executed in chunks, with results written over its inputs. */
class Chunked {
  private readonly sessions = new Map<number, Promise<Session>>();

  constructor(
    private readonly length: number,
    private readonly build: (size: number) => Record<string, Value>,
    private readonly atOnce = chunkElements,
  ) {}

  /** Runs over all chunks; results named like one of `arrays` overwrite it, the others go to `collect`. */
  async run(
    arrays: Arrays,
    numbers: Readonly<Record<string, number>>,
    collect?: (results: Record<string, Tensor>) => void,
  ): Promise<void> {
    const scalars = Object.entries(numbers).map(
      ([name, value]) => [name, Tensor.from(f32([], [value]))] as const,
    );
    for (let start = 0; start < this.length; start += this.atOnce) {
      const size = Math.min(this.atOnce, this.length - start);
      const session = await this.session(size);
      const views = Object.fromEntries(
        Object.entries(arrays).map(([name, array]) => [
          name,
          Tensor.from({ dtype: 'f32', shape: [size], data: array.subarray(start, start + size) }),
        ]),
      );
      const into = Object.fromEntries(Object.entries(views).map(([name, view]) => [`new.${name}`, view]));
      const results = await session.run({ ...views, ...Object.fromEntries(scalars) }, into);
      collect?.(results);
    }
  }

  private session(size: number): Promise<Session> {
    const known = this.sessions.get(size);
    if (known) return known;
    const made = Session.compile({ outputs: this.build(size) }, { shortRuns: true, writesInto: true });
    this.sessions.set(size, made);
    return made;
  }
}

export interface StepSettings {
  readonly learningRate: number;
  /** No clipping when left out. */
  readonly maxGradientNorm?: number;
}

/** Updates flat parameters in place; holds its slots once. Runs on the CPU, where the arrays are. */
export class Optimizer {
  /** Slots by name, in the parameters' layout. */
  readonly slots: Record<string, Float32Array>;
  /** Updates done so far. */
  steps = 0;
  private readonly update: Chunked;
  private readonly squares: Chunked;

  constructor(
    private readonly parameters: Float32Array,
    private readonly transform: Transform,
    /** A multiple of 16. */
    atOnce = chunkElements,
  ) {
    const { length } = parameters;
    // Filled here: two threads that touch fresh pages wait for each other, 20 seconds of a first step of 446 M parameters.
    this.slots = Object.fromEntries(transform.slots.map((name) => [name, new Float32Array(length).fill(0)]));
    this.update = new Chunked(length, (size) => updateGraph(transform, size), atOnce);
    this.squares = new Chunked(
      length,
      (size) => {
        const rows = reshape(input('gradient', [size]), [sumRows, size / sumRows]);
        return { sums: sum(square(rows), [1]) };
      },
      atOnce,
    );
  }

  /** One step from `gradients` (same layout); returns their global norm before clipping. Throws nothing on NaN: callers look at the norm. */
  async step(gradients: Float32Array, { learningRate, maxGradientNorm }: StepSettings): Promise<number> {
    let total = 0;
    await this.squares.run({ gradient: gradients }, {}, ({ sums }) => {
      for (const part of (sums as Tensor).host.data as Float32Array) total += part;
    });
    const norm = Math.sqrt(total);
    this.steps++;
    const clip = maxGradientNorm === undefined ? 1 : Math.min(1, maxGradientNorm / (norm + 1e-6));
    const numbers = this.transform.numbers({ clip, learningRate, steps: this.steps });
    await this.update.run({ parameter: this.parameters, gradient: gradients, ...this.slots }, numbers);
    return norm;
  }
}

/** Squares are summed in so many rows, each by one thread: all lengths of flat parameters are multiples of it. */
const sumRows = 16;

function updateGraph({ slots, apply }: Transform, size: number): Record<string, Value> {
  const arrays = new Set(['parameter', 'gradient', ...slots]);
  const values = new Map<string, Value>();
  const changed = apply((name) => {
    const value = values.get(name) ?? input(name, arrays.has(name) ? [size] : []);
    values.set(name, value);
    return value;
  });
  return Object.fromEntries(Object.entries(changed).map(([name, value]) => [`new.${name}`, value]));
}

/** Adds `more` to `total` in place. */
export function accumulator(length: number): (total: Float32Array, more: Float32Array) => Promise<void> {
  const sums = new Chunked(length, (size) => ({
    'new.total': add(input('total', [size]), input('more', [size])),
  }));
  return (total, more) => sums.run({ total, more }, {});
}

/** average ← average + (1 − decay)·(current − average), in place. */
export function movingAverage(
  length: number,
): (average: Float32Array, current: Float32Array, decay: number) => Promise<void> {
  const averages = new Chunked(length, (size) => {
    const average = input('average', [size]);
    return { 'new.average': add(average, mul(sub(input('current', [size]), average), input('rate', []))) };
  });
  return (average, current, decay) => averages.run({ average, current }, { rate: 1 - decay });
}
