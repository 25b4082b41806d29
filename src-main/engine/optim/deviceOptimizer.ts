import { add, input, mul, square, sum } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { DeviceCopies } from '../runtime/deviceCopies.ts';
import { Session } from '../runtime/session.ts';
import { Tensor } from '../runtime/tensor.ts';
import { f32 } from '../tensor/tensor.ts';
import { newValues } from './optimizer.ts';
import type { Pack } from './packs.ts';
import type { StepFacts, Transform } from './transforms.ts';

type Buffers = readonly Tensor[];
type Numbers = Readonly<Record<string, number>>;

/** A graph over arrays of one length: `new.x` is written over the array x. */
type Build = (size: number) => Record<string, Value>;

/**
 * Flat arrays on a WebGPU device, a buffer for each pack, and what an optimizer does with them. It works in place: ONNX Runtime is
 * given the buffers to write its results to. The last operation of these graphs never reads the buffer that it writes.
 */
export class DeviceOptimizer {
  private readonly copies = new DeviceCopies();
  private readonly sessions = new Map<string, Promise<{ session: Session; written: readonly string[] }>>();

  constructor(
    private readonly packs: readonly Pack[],
    private readonly transform: Transform,
  ) {}

  /** A flat array's numbers on the device; zeros when left out. */
  async buffers(array?: Float32Array): Promise<Tensor[]> {
    const made: Tensor[] = [];
    for (const { start, length } of this.packs)
      made.push(
        await (array ? this.copies.upload(array.subarray(start, start + length)) : this.copies.zeros(length)),
      );
    return made;
  }

  async download(buffers: Buffers, into: Float32Array): Promise<void> {
    for (const [i, { start, length }] of this.packs.entries())
      await this.copies.download(buffers[i] as Tensor, into.subarray(start, start + length));
  }

  /** One update of `parameter` and the slots from `gradient`; what a survey learns is written to `learnt`. */
  async update(
    arrays: Readonly<Record<string, Buffers>>,
    facts: StepFacts,
    learnt: Float32Array,
  ): Promise<void> {
    const names = new Set(Object.keys(arrays));
    const { survey, numbers, apply } = this.transform;
    if (survey) {
      const before = survey.numbers(facts, learnt);
      const found = await this.each(
        'survey',
        (size) => newValues(survey.apply, names, size),
        arrays,
        () => before,
      );
      survey.learn(found, facts, learnt);
    }
    const { learningRate } = facts;
    await this.each(
      'update',
      (size) => newValues(apply, names, size),
      arrays,
      ({ rate }) => numbers({ ...facts, learningRate: learningRate * rate }, learnt),
    );
  }

  /** total ← total·keep + more·share. */
  async mix(
    total: Buffers,
    more: Buffers,
    numbers: { readonly keep: number; readonly share: number },
  ): Promise<void> {
    const graph: Build = (size) => {
      const part = (array: string, factor: string): Value => mul(input(array, [size]), input(factor, []));
      return { 'new.total': add(part('total', 'keep'), part('more', 'share')) };
    };
    await this.each('mix', graph, { total, more }, () => ({ ...numbers }));
  }

  /** Sum of all squares, read from the device. */
  async squares(array: Buffers): Promise<number> {
    const graph: Build = (size) => ({ squares: sum(square(input('array', [size]))) });
    const { squares = 0 } = await this.each('squares', graph, { array }, () => ({}));
    return squares;
  }

  async dispose(): Promise<void> {
    await this.copies.dispose();
    for (const made of this.sessions.values()) await (await made).session.dispose();
  }

  /** Runs over all packs. Results that overwrite no array are summed and returned. */
  private async each(
    kind: string,
    graph: Build,
    arrays: Readonly<Record<string, Buffers>>,
    numbers: (pack: Pack) => Numbers,
  ): Promise<Record<string, number>> {
    const totals: Record<string, number> = {};
    for (const [i, pack] of this.packs.entries()) {
      const { session, written } = await this.session(kind, pack.length, graph);
      const own = Object.entries(arrays).map(([name, buffers]) => [name, buffers[i] as Tensor] as const);
      const given = Object.entries(numbers(pack)).map(
        ([name, value]) => [name, Tensor.from(f32([], [value]))] as const,
      );
      const into = own.flatMap(([name, buffer]) =>
        written.includes(`new.${name}`) ? [[`new.${name}`, buffer] as const] : [],
      );
      const feeds = Object.fromEntries([...own, ...given]);
      const results = await session.run(feeds, Object.fromEntries(into));
      for (const [name, tensor] of Object.entries(results)) {
        if (written.includes(name)) continue;
        const part = Array.from(tensor.host.data, Number).reduce((a, b) => a + b, 0);
        totals[name] = (totals[name] ?? 0) + part;
      }
    }
    return totals;
  }

  private session(
    kind: string,
    size: number,
    graph: Build,
  ): Promise<{ session: Session; written: readonly string[] }> {
    const key = `${kind} ${size}`;
    const known = this.sessions.get(key);
    if (known) return known;
    const outputs = graph(size);
    const written = Object.keys(outputs).filter((name) => name.startsWith('new.'));
    const made = Session.untried('webgpu', { outputs }).then((session) => ({ session, written }));
    this.sessions.set(key, made);
    return made;
  }
}
