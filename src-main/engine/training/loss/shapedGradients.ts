import type { FlatParameters } from '../../optim/flatParameters.ts';
import { accumulator } from '../../optim/optimizer.ts';
import type { LatentShape } from '../data/finetuneBatches.ts';
import {
  LocalGradients,
  type Accumulating,
  meanGradient,
  type Feeds,
  type GradientSource,
  type Losses,
  type LossOptions,
} from './gradients.ts';

/** Sessions kept at a time: each has its own memory. */
const kept = 4;

/**
 * Gradients of one loss for batches of several shapes: a session for each shape, made when the first batch of it comes; those that
 * were not used for longest go first.
 */
export class ShapedGradients implements GradientSource {
  private readonly sessions = new Map<string, LocalGradients>();
  private sum: Accumulating | undefined;

  private constructor(
    readonly layout: FlatParameters,
    private readonly lossOf: (latents: LatentShape) => LossOptions,
  ) {}

  /** `first`: the shape that is built at once, so that a fault of the loss is told before the first step. Errors: those of `LocalGradients.create`. */
  static async create(
    first: LatentShape,
    lossOf: (latents: LatentShape) => LossOptions,
  ): Promise<ShapedGradients> {
    const session = await LocalGradients.create(lossOf(first));
    const made = new ShapedGradients(session.layout, lossOf);
    made.sessions.set(first.join(), session);
    return made;
  }

  compute(batches: readonly Feeds[], values: Float32Array, into: Float32Array): Promise<Losses> {
    return meanGradient(
      (batch, place) => this.one(batch, values, place),
      batches,
      into,
      () => (this.sum ??= { array: this.layout.allocate(), add: accumulator() }),
    );
  }

  /** The gradient of one batch, whose `latents` say its shape. */
  async one(batch: Feeds, values: Float32Array, into: Float32Array): Promise<Losses> {
    return (await this.sessionFor(batch)).one(batch, values, into);
  }

  async dispose(): Promise<void> {
    for (const session of this.sessions.values()) await session.dispose();
    this.sessions.clear();
  }

  private async sessionFor(batch: Feeds): Promise<LocalGradients> {
    const [, c = 0, h = 0, w = 0] = batch['latents']?.shape ?? [];
    const key = [c, h, w].join();
    const session = this.sessions.get(key) ?? (await LocalGradients.create(this.lossOf([c, h, w])));
    this.sessions.delete(key);
    this.sessions.set(key, session);
    for (const [old, idle] of this.sessions) {
      if (this.sessions.size <= kept) break;
      this.sessions.delete(old);
      await idle.dispose();
    }
    return session;
  }
}
