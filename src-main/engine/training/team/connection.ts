import type { Duplex } from 'node:stream';
import * as z from 'zod';
import { bytesPerElement, elementCount, type HostTensor } from '../../tensor/tensor.ts';

export type Tensors = Readonly<Record<string, HostTensor>>;

const maxMessageBytes = 1 << 20;
/** For all tensors of a batch; 64 latents of 1024 pixels take 17 MB. */
const maxTensorBytes = 256 << 20;
const chunkBytes = 1 << 20;

/** Name and type of a tensor whose bytes follow. */
const announcedType = z.object({
  name: z.string().max(200),
  dtype: z.enum(['f32', 'i64']),
  shape: z.array(z.int().min(0).max(maxTensorBytes)).max(8),
});
const announcementType = z.object({ tensors: z.array(announcedType).max(64).default([]) });

/** The other end is gone, for whatever reason. */
export class ConnectionLost extends Error {}

/** What came is not such a message, or announces more than a batch can hold. */
export class MessageFault extends Error {}

/**
 * One end of a connection: messages, the tensors that they announce, and arrays of a length that both ends know, one after
 * another. A message is its length in four bytes and that much JSON. Nothing is read before it is asked for, so what comes too
 * fast waits in the network.
 */
export class Connection {
  private into: Uint8Array = new Uint8Array();
  private filled: (() => void) | undefined;
  private failed: ((error: Error) => void) | undefined;
  private early: Buffer[] = [];
  private lost: ConnectionLost | undefined;
  private sending: Promise<void> = Promise.resolve();

  /** `patience`: milliseconds without any progress after which what is being sent will never arrive. */
  constructor(
    private readonly socket: Duplex & { setTimeout?: (milliseconds: number) => unknown },
    private readonly patience = 25_000,
  ) {
    socket.pause();
    socket.on('data', (bytes: Buffer) => this.take(bytes));
    socket.on('timeout', () => socket.destroy());
    socket.on('error', (error) => this.end(error));
    socket.on('end', () => this.end());
    socket.on('close', () => this.end());
  }

  /** Reads the next message and its tensors. Errors: `ConnectionLost`, `MessageFault`. */
  async next<Said>(type: z.ZodType<Said>): Promise<{ readonly said: Said; readonly tensors: Tensors }> {
    const head = Buffer.alloc(4);
    await this.fill(head);
    const length = head.readUInt32BE();
    // Before any memory is taken.
    if (length > maxMessageBytes) throw new MessageFault(`a message of ${length} bytes`);
    const body = Buffer.alloc(length);
    await this.fill(body);
    const { said, announced } = parse(type, body);
    const tensors: Record<string, HostTensor> = {};
    for (const { name, dtype, shape } of announced) {
      const size = elementCount(shape);
      const data = dtype === 'f32' ? new Float32Array(size) : new BigInt64Array(size);
      await this.fill(bytesOf(data));
      tensors[name] = { dtype, shape, data };
    }
    return { said, tensors };
  }

  /** Fills the array with what the other end sends. */
  receive(array: ArrayBufferView): Promise<void> {
    return this.fill(bytesOf(array));
  }

  /** Sends a message and its tensors; resolves when they are on their way, or never will be. */
  say(said: object, tensors: Tensors = {}): Promise<void> {
    const announced = Object.entries(tensors).map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
    const body = Buffer.from(JSON.stringify({ ...said, tensors: announced }));
    const head = Buffer.alloc(4);
    head.writeUInt32BE(body.length);
    return this.send(head, body, ...Object.values(tensors).map(({ data }) => bytesOf(data)));
  }

  /** Sends the array as it lies in memory. It must not change before the other end has answered. */
  give(array: ArrayBufferView): Promise<void> {
    return this.send(bytesOf(array));
  }

  /** Ends when all that was said is on its way. */
  async finish(): Promise<void> {
    await this.sending;
    this.socket.end();
  }

  close(): void {
    this.socket.destroy();
  }

  /** One message after another, whoever sends it. */
  private send(...pieces: readonly Uint8Array[]): Promise<void> {
    this.sending = this.sending.then(async () => {
      for (const piece of pieces)
        for (let start = 0; start < piece.length; start += chunkBytes) {
          if (this.socket.destroyed || this.socket.writableEnded) return;
          if (!this.socket.write(piece.subarray(start, start + chunkBytes))) await this.drained();
        }
    });
    return this.sending;
  }

  private drained(): Promise<void> {
    this.socket.setTimeout?.(this.patience);
    return new Promise((resolve) => {
      const done = (): void => {
        this.socket.setTimeout?.(0);
        for (const event of ['drain', 'close'] as const) this.socket.off(event, done);
        resolve();
      };
      for (const event of ['drain', 'close'] as const) this.socket.once(event, done);
    });
  }

  private async fill(memory: Uint8Array): Promise<void> {
    this.into = memory;
    if (memory.length === 0) return;
    const done = new Promise<void>((resolve, reject) => {
      [this.filled, this.failed] = [resolve, reject];
    });
    for (const bytes of this.early.splice(0)) this.take(bytes);
    if (this.into.length > 0) {
      if (this.lost) throw this.lost;
      this.socket.resume();
    }
    await done;
  }

  private take(bytes: Buffer): void {
    const own = bytes.subarray(0, this.into.length);
    this.into.set(own);
    this.into = this.into.subarray(own.length);
    if (own.length < bytes.length) this.early.push(bytes.subarray(own.length));
    if (this.into.length > 0) return;
    this.socket.pause();
    this.filled?.();
    this.filled = this.failed = undefined;
  }

  private end(why?: Error): void {
    this.lost ??= new ConnectionLost('the connection has ended', { cause: why });
    this.failed?.(this.lost);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function parse<Said>(
  type: z.ZodType<Said>,
  body: Buffer,
): { said: Said; announced: readonly z.output<typeof announcedType>[] } {
  try {
    const json: unknown = JSON.parse(body.toString());
    const said = type.parse(json);
    const { tensors: announced } = announcementType.parse(json);
    const sizes = announced.map(({ dtype, shape }) => elementCount(shape) * bytesPerElement[dtype]);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (total > maxTensorBytes) throw new Error(`tensors of ${total} bytes`);
    return { said, announced };
  } catch (cause) {
    throw new MessageFault(cause instanceof Error ? cause.message : 'no message', { cause });
  }
}
