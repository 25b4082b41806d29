import { add, input, mul, reshape, square, sub, sum } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { Session } from '../runtime/session.ts';
import { Tensor } from '../runtime/tensor.ts';
import { f32 } from '../tensor/tensor.ts';
import type { RatedPart } from './flatParameters.ts';
import type { Transform } from './transforms.ts';

/** Elements updated at a time (1 MB): a run's temporaries stay in cache, and half of them is still worth a thread. */
const chunkElements = 1 << 18;

type Arrays = Readonly<Record<string, Float32Array>>;

/** An elementwise graph over arrays of one length, executed in chunks, with results written over its inputs. */
class Chunked {
  private readonly sessions = new Map<number, Promise<Session>>();

  constructor(
    private readonly build: (size: number) => Record<string, Value>,
    private readonly atOnce = chunkElements,
  ) {}

  /** Runs over all chunks; `new.x` overwrites the array x; other results are summed and returned. */
  async run(arrays: Arrays, numbers: Readonly<Record<string, number>>): Promise<Record<string, number>> {
    const scalars = Object.entries(numbers).map(
      ([name, value]) => [name, Tensor.from(f32([], [value]))] as const,
    );
    const [first = new Float32Array()] = Object.values(arrays);
    const totals: Record<string, number> = {};
    for (let start = 0; start < first.length; start += this.atOnce) {
      const size = Math.min(this.atOnce, first.length - start);
      const session = await this.session(size);
      const views = Object.fromEntries(
        Object.entries(arrays).map(([name, array]) => [
          name,
          Tensor.from({ dtype: 'f32', shape: [size], data: array.subarray(start, start + size) }),
        ]),
      );
      const into = Object.fromEntries(Object.entries(views).map(([name, view]) => [`new.${name}`, view]));
      const results = await session.run({ ...views, ...Object.fromEntries(scalars) }, into);
      for (const [name, { host }] of Object.entries(results))
        if (!(name in into))
          totals[name] = Array.from(host.data, Number).reduce(
            (total, part) => total + part,
            totals[name] ?? 0,
          );
    }
    return totals;
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
  /** What the gradients come multiplied by; 1 when left out. A step whose gradients are no numbers then changes nothing. */
  readonly lossScale?: number;
}

/** Changes flat parameters in place, step by step. */
export interface ParameterOptimizer {
  /** Updates done so far. */
  steps: number;
  /** All that an interrupted run needs besides the parameters, by name. */
  readonly state: Readonly<Record<string, Float32Array | Uint8Array>>;
  /**
   * One step from `gradients` (same layout); returns their global norm before clipping. Does not throw on NaN: callers look at the
   * norm.
   */
  step(gradients: Float32Array, settings: StepSettings): Promise<number>;
}

/** Factor on all gradients that brings their global norm down to its limit; torch's `clip_grad_norm_`. */
export function clipOf(norm: number, most: number | undefined): number {
  return most === undefined ? 1 : Math.min(1, most / (norm + 1e-6));
}

/** The sum of squares of arrays whose length is a multiple of 16. */
export function squaredNorm(atOnce = chunkElements): (values: Float32Array) => Promise<number> {
  const squares = new Chunked((size) => ({ sums: rowSums(square(input('values', [size])), size) }), atOnce);
  return async (values) => (await squares.run({ values }, {}))['sums'] ?? 0;
}

/** Updates elementwise; holds its slots once. Runs on the CPU, where the arrays are. */
export class Optimizer implements ParameterOptimizer {
  /** Slots by name, in the parameters' layout. */
  readonly slots: Readonly<Record<string, Float32Array>>;
  steps = 0;
  /** What the transform's survey has learnt so far. */
  readonly learnt: Float32Array;
  private readonly update: Chunked;
  private readonly survey: Chunked;
  private readonly norm: (gradients: Float32Array) => Promise<number>;
  readonly parts: readonly RatedPart[];

  constructor(
    readonly parameters: Float32Array,
    readonly transform: Transform,
    {
      atOnce = chunkElements,
      parts,
    }: { /** A multiple of 16. */ readonly atOnce?: number; readonly parts?: readonly RatedPart[] } = {},
  ) {
    const { length } = parameters;
    // Filled here: threads that touch fresh pages wait for each other, which cost 20 seconds in a first step with 446 M
    // parameters.
    this.slots = Object.fromEntries(
      Object.entries(transform.slots).map(([name, start]) => [
        name,
        start === 'zero' ? new Float32Array(length).fill(0) : parameters.slice(),
      ]),
    );
    const { survey } = transform;
    this.learnt = Float32Array.from(survey?.start ?? []);
    this.parts = parts ?? [{ start: 0, end: length, rate: 1 }];
    this.update = new Chunked((size) => newValues(transform.apply, this.arrays, size), atOnce);
    this.survey = new Chunked((size) => (survey ? newValues(survey.apply, this.arrays, size) : {}), atOnce);
    this.norm = squaredNorm(atOnce);
  }

  get state(): Readonly<Record<string, Float32Array>> {
    return { ...this.slots, ...(this.learnt.length > 0 && { learnt: this.learnt }) };
  }

  async step(gradients: Float32Array, { learningRate, maxGradientNorm }: StepSettings): Promise<number> {
    const arrays = { parameter: this.parameters, gradient: gradients, ...this.slots };
    const norm = Math.sqrt(await this.norm(gradients));
    this.steps++;
    const clip = clipOf(norm, maxGradientNorm);
    const { survey, numbers } = this.transform;
    const facts = { clip, learningRate, steps: this.steps };
    if (survey) {
      const found = await this.survey.run(arrays, survey.numbers(facts, this.learnt));
      survey.learn(found, facts, this.learnt);
    }
    for (const { start, end, rate } of this.parts) {
      const part = Object.entries(arrays).map(([name, array]) => [name, array.subarray(start, end)] as const);
      const own = numbers({ ...facts, learningRate: learningRate * rate }, this.learnt);
      await this.update.run(Object.fromEntries(part), own);
    }
    return norm;
  }

  private get arrays(): ReadonlySet<string> {
    return new Set(['parameter', 'gradient', ...Object.keys(this.slots)]);
  }
}

/** Values are summed in so many rows, each by one thread: all lengths of flat parameters are multiples of it. */
const sumRows = 16;

function rowSums(value: Value, size: number): Value {
  return sum(reshape(value, [sumRows, size / sumRows]), [1]);
}

/** The graph of a transform or its survey, over `size` elements: `sum.x` becomes the sums `x`, the rest overwrites its arrays. */
export function newValues(
  apply: Transform['apply'],
  arrays: ReadonlySet<string>,
  size: number,
): Record<string, Value> {
  const values = new Map<string, Value>();
  const changed = apply((name) => {
    const value = values.get(name) ?? input(name, arrays.has(name) ? [size] : []);
    values.set(name, value);
    return value;
  });
  return Object.fromEntries(
    Object.entries(changed).map(([name, value]) =>
      name.startsWith('sum.') ? [name.slice('sum.'.length), rowSums(value, size)] : [`new.${name}`, value],
    ),
  );
}

/** Adds `more` to `total` in place. */
export function accumulator(): (total: Float32Array, more: Float32Array) => Promise<void> {
  const sums = new Chunked((size) => ({
    'new.total': add(input('total', [size]), input('more', [size])),
  }));
  return async (total, more) => {
    await sums.run({ total, more }, {});
  };
}

/** average ← average + (1 − decay)·(current − average), in place. */
export function movingAverage(): (
  average: Float32Array,
  current: Float32Array,
  decay: number,
) => Promise<void> {
  const averages = new Chunked((size) => {
    const average = input('average', [size]);
    return { 'new.average': add(average, mul(sub(input('current', [size]), average), input('rate', []))) };
  });
  return async (average, current, decay) => {
    await averages.run({ average, current }, { rate: 1 - decay });
  };
}
