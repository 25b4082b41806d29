import { z } from 'zod';
import type { HostTensor } from '../../tensor/tensor.ts';
import { bytesPerElement, elementCount } from '../../tensor/tensor.ts';

/**
 * The messages between a run and one of its workers, on one gRPC stream: each is JSON, followed by the bytes of the tensors that it
 * announces, in chunks. Weights and gradients have a data channel of their own (`dataChannel.ts`). A worker belongs to the team for as
 * long as its stream is open.
 */
export const method = '/likeness.Team/Work';

const bytes = (message: Buffer): Buffer => message;
export const service = {
  work: {
    path: method,
    requestStream: true,
    responseStream: true,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
} as const;

export const options = {
  // A machine that vanished without a word is given up after 11 minutes: a worker that computes answers nothing meanwhile.
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 600_000,
  'grpc.http2.max_pings_without_data': 0,
} as const;

const maxMessageBytes = 1 << 20;
/** Of a batch's tensors together; a batch of 64 latents of 1024 pixels takes 17 MB. */
const maxTensorBytes = 256 << 20;

/** Name and type of a tensor whose bytes follow. */
const announcedType = z.object({
  name: z.string().max(200),
  dtype: z.enum(['f32', 'i64']),
  shape: z.array(z.int().min(0).max(maxTensorBytes)).max(8),
});

/** To a worker: the run and the key of its data channel; new weights follow on that channel; a batch to compute; the run is over. */
export const toWorkerType = z.discriminatedUnion('type', [
  z.object({ type: z.literal('run'), run: z.unknown(), channel: z.string().max(200) }),
  z.object({ type: z.literal('values') }),
  z.object({ type: z.literal('batch') }),
  z.object({ type: z.literal('end') }),
]);
export type ToWorker = z.output<typeof toWorkerType>;

/** From a worker: it is ready (`length`: of its layout), a batch's gradient, why it cannot go on. */
export const fromWorkerType = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), length: z.int().min(0), name: z.string().max(1000) }),
  z.object({
    type: z.literal('gradient'),
    // JSON has no NaN: a loss that is none comes as null.
    losses: z.record(
      z.string(),
      z
        .number()
        .nullable()
        .transform((loss) => loss ?? NaN),
    ),
    seconds: z.number(),
  }),
  z.object({ type: z.literal('failed'), code: z.string(), message: z.string() }),
]);
export type FromWorker = z.output<typeof fromWorkerType>;

export type Tensors = Readonly<Record<string, HostTensor>>;

/** Of a gRPC stream: what is needed to write to it. */
export interface Writable {
  write(message: Buffer): boolean;
  once(event: 'drain' | 'close' | 'error', heard: () => void): unknown;
  off(event: 'drain' | 'close' | 'error', heard: () => void): unknown;
  readonly destroyed: boolean;
}

const chunkBytes = 1 << 20;

/** Sends a message and its tensors, as fast as the other end takes them; stops where the stream has ended. */
export async function send(stream: Writable, said: object, tensors: Tensors = {}): Promise<void> {
  const announced = Object.entries(tensors).map(([name, { dtype, shape }]) => ({
    name,
    dtype,
    shape,
  }));
  let free = stream.write(Buffer.from(JSON.stringify({ ...said, tensors: announced })));
  for (const { data } of Object.values(tensors))
    for (let start = 0; start < data.byteLength; start += chunkBytes) {
      if (stream.destroyed) return;
      if (!free) await drained(stream);
      const length = Math.min(chunkBytes, data.byteLength - start);
      free = stream.write(Buffer.from(data.buffer as ArrayBuffer, data.byteOffset + start, length));
    }
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'close', 'error'] as const) stream.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'error'] as const) stream.once(event, done);
  });
}

/** Puts a stream's messages together again. What is no message of `type`, or announces more than a batch can have, throws. */
export class Inbox<Said extends { readonly type: string }> {
  private said: Said | undefined;
  private tensors: Record<string, HostTensor> = {};
  private missing: Uint8Array[] = [];

  /** `heard` gets every message when it is whole. */
  constructor(
    private readonly type: z.ZodType<Said>,
    private readonly heard: (said: Said, tensors: Tensors) => void,
  ) {}

  take(message: Buffer): void {
    if (this.said === undefined) this.begin(message);
    else this.fill(message);
    if (this.said === undefined || this.missing.length > 0) return;
    const { said, tensors } = this;
    [this.said, this.tensors] = [undefined, {}];
    this.heard(said, tensors);
  }

  private begin(message: Buffer): void {
    if (message.length > maxMessageBytes) throw new Error(`a message of ${message.length} bytes`);
    const json: unknown = JSON.parse(message.toString());
    const said = this.type.parse(json);
    const { tensors } = z.object({ tensors: z.array(announcedType).max(64).default([]) }).parse(json);
    const sizes = tensors.map(({ dtype, shape }) => elementCount(shape) * bytesPerElement[dtype]);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    // Before any memory is taken.
    if (total > maxTensorBytes) throw new Error(`tensors of ${total} bytes`);
    this.said = said;
    for (const [i, { name, dtype, shape }] of tensors.entries()) {
      const memory = new Uint8Array(new ArrayBuffer(sizes[i] ?? 0));
      this.tensors[name] = { dtype, shape, data: viewOf(dtype, memory) };
      if (memory.length > 0) this.missing.push(memory);
    }
  }

  private fill(message: Buffer): void {
    let rest: Uint8Array = message;
    while (rest.length > 0) {
      const next = this.missing[0];
      if (!next) throw new Error('more bytes than were announced');
      const part = rest.subarray(0, next.length);
      next.set(part);
      rest = rest.subarray(part.length);
      if (part.length === next.length) this.missing.shift();
      else this.missing[0] = next.subarray(part.length);
    }
  }
}

function viewOf(dtype: 'f32' | 'i64', memory: Uint8Array<ArrayBuffer>): HostTensor['data'] {
  return dtype === 'f32' ? new Float32Array(memory.buffer) : new BigInt64Array(memory.buffer);
}
