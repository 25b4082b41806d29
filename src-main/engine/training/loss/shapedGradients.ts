import type { Provider } from '../../../../src-shared/domain/providers.ts';
import { messages } from '../../../../src-shared/messages/index.ts';
import type { FlatParameters } from '../../optim/flatParameters.ts';
import { accumulator } from '../../optim/optimizer.ts';
import { isOutOfMemory } from '../../runtime/deviceErrors.ts';
import { graphicsDevices } from '../../runtime/graphicsDevice.ts';
import { providerNotice } from '../../runtime/notices.ts';
import { providerFor } from '../../runtime/session.ts';
import type { LatentShape } from '../data/finetuneBatches.ts';
import { Descent } from './descent.ts';
import {
  formOf,
  layoutOf,
  LocalGradients,
  type Accumulating,
  meanGradient,
  type Feeds,
  type GradientSource,
  type Losses,
  type LossOptions,
} from './gradients.ts';
import { bytesOf, share } from './waysThatFit.ts';

/** Sessions kept at a time: each has its own memory, and on a device its own copy of the weights. */
const kept = 4;

type OfOneShape = Pick<LocalGradients, 'one' | 'dispose'>;

/**
 * Gradients of one loss for batches of several shapes: a session for each shape, made when the first batch of it comes; those that
 * were not used for longest go first. On a device, which has nothing that a later batch needs, a batch that fails is computed again in
 * the next way that asks for less memory (`Descent`).
 */
export class ShapedGradients implements GradientSource {
  readonly layout: FlatParameters;
  private readonly sessions = new Map<string, OfOneShape>();
  private sum: Accumulating | undefined;
  private sumOfRows: Accumulating | undefined;
  private readonly descent: Descent | undefined;
  /** Sessions kept at a time. */
  private most = kept;

  private constructor(
    private readonly lossOf: (latents: LatentShape) => LossOptions,
    private readonly provider: Provider,
    loss: LossOptions,
  ) {
    this.layout = layoutOf(loss);
    if (provider !== 'cpu') this.descent = new Descent(provider, loss, loss.provider === 'auto');
  }

  /** `first`: the shape that is built at once, so that a fault of the loss shows before the first step. Errors: those of `LocalGradients.create`. */
  static async create(
    first: LatentShape,
    lossOf: (latents: LatentShape) => LossOptions,
  ): Promise<ShapedGradients> {
    const asked = lossOf(first);
    const provider = await providerFor(asked.provider ?? 'cpu');
    const loss = { ...asked, ...(await formOf(asked.provider ?? 'cpu', asked)) };
    const made = new ShapedGradients(lossOf, provider, loss);
    if (provider === 'webgpu') await made.descent?.beginWithWhatFits(loss);
    await made.withDevice(async () => {
      await made.sessionFor(first, loss);
    });
    return made;
  }

  compute(batches: readonly Feeds[], values: Float32Array, into: Float32Array): Promise<Losses> {
    return meanGradient(
      (batch, place) => this.one(batch, values, place),
      batches,
      into,
      () => (this.sum ??= this.accumulating()),
    );
  }

  /** The gradient of one batch, whose `latents` say its shape. Errors: those of `LocalGradients.create` and `one`, when no way is left. */
  async one(batch: Feeds, values: Float32Array, into: Float32Array): Promise<Losses> {
    const [, c = 0, h = 0, w = 0] = batch['latents']?.shape ?? [];
    return this.withDevice(async () => (await this.sessionFor([c, h, w])).one(batch, values, into));
  }

  /** Releases a device until the next batch, for others. */
  async rest(): Promise<void> {
    if (this.descent) await this.dispose();
  }

  async dispose(): Promise<void> {
    const sessions = [...this.sessions.values()];
    this.sessions.clear();
    for (const session of sessions) await session.dispose();
  }

  /** Does it, in other ways as long as the device fails and one is left. */
  private async withDevice<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!this.descent) throw error;
        const others = this.sessions.size > 1;
        await this.dispose().catch(() => undefined);
        if (others && isOutOfMemory(error) && !this.descent.onCpu) {
          providerNotice(messages['provider.byShape']({ provider: this.provider }));
          this.most = 1;
        } else this.descent.next(error);
      }
    }
  }

  private async sessionFor(latents: LatentShape, loss?: LossOptions): Promise<OfOneShape> {
    const key = latents.join();
    const session = this.sessions.get(key) ?? (await this.made(loss ?? this.lossOf(latents)));
    this.sessions.delete(key);
    this.sessions.set(key, session);
    return session;
  }

  private async made(loss: LossOptions): Promise<OfOneShape> {
    await this.makeRoom(loss);
    if (!this.descent) return LocalGradients.create(loss);
    // In its own precision the CPU would only be slower.
    if (this.descent.onCpu) return LocalGradients.create({ ...loss, provider: 'cpu', computes: 'f32' });
    const { provider } = this;
    const { oneRow, frugal } = this.descent.way;
    if (!oneRow || !loss.byRow) return LocalGradients.create({ ...loss, provider, frugal });
    const { options, rows } = loss.byRow();
    const source = await LocalGradients.create({ ...options, provider, frugal });
    return {
      one: (batch, values, into) =>
        meanGradient(
          (row, place) => source.one(row, values, place),
          rows(batch),
          into,
          () => (this.sumOfRows ??= this.accumulating()),
        ),
      dispose: () => source.dispose(),
    };
  }

  /** ONNX Runtime frees the weights of a WebGPU session only when none is left there, so all of a device's go together. */
  private async makeRoom(loss: LossOptions): Promise<void> {
    if (this.descent && !this.descent.onCpu) {
      if (this.sessions.size >= (await this.roomFor(loss, this.descent))) await this.dispose();
      return;
    }
    for (const [old, idle] of this.sessions) {
      if (this.sessions.size < kept) break;
      this.sessions.delete(old);
      await idle.dispose();
    }
  }

  /** Sessions that fit beside each other, by simulation where the device's memory is known. */
  private async roomFor(loss: LossOptions, { way }: Descent): Promise<number> {
    const memory = (await graphicsDevices())[0]?.memory;
    if (memory === undefined || this.most === 1 || this.sessions.size === 0) return this.most;
    const each = await bytesOf(loss, way, this.provider === 'webgpu' ? 'webgpu' : 'device');
    return Math.min(this.most, Math.max(1, Math.floor((share * memory) / each)));
  }

  private accumulating(): Accumulating {
    return { array: this.layout.allocate(), add: accumulator() };
  }
}
