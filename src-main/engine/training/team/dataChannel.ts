import type { Socket } from 'node:net';

/**
 * Weights and gradients on a connection of their own, beside a worker's gRPC stream: arrays of a length that both ends know, one after
 * the other, as bytes. gRPC copies each byte three times and cuts it into frames of 16 kB; this is bound by the kernel.
 */
export class DataChannel {
  private into: Uint8Array = new Uint8Array();
  private filled: (() => void) | undefined;
  private failed: ((error: Error) => void) | undefined;
  private early: Buffer[] = [];
  private fault: Error | undefined;

  /** `onEnd`: it is closed, from whichever end. */
  constructor(
    private readonly socket: Socket,
    onEnd: () => void,
  ) {
    socket.setNoDelay(true);
    socket.pause();
    socket.on('data', (bytes: Buffer) => this.take(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.fault = new Error('the connection has ended');
      this.failed?.(this.fault);
      onEnd();
    });
  }

  /** Sends the array as it is in memory, as fast as the other end takes it. It must not change before the other end has answered. */
  async send(array: Float32Array): Promise<void> {
    for (let start = 0; start < array.byteLength; start += chunkBytes) {
      if (this.socket.destroyed) return;
      const length = Math.min(chunkBytes, array.byteLength - start);
      const bytes = Buffer.from(array.buffer as ArrayBuffer, array.byteOffset + start, length);
      if (!this.socket.write(bytes)) await drained(this.socket);
    }
  }

  /** Fills the array with what the other end sends; it waits until this is called. */
  async receive(array: Float32Array): Promise<void> {
    if (this.fault) throw this.fault;
    this.into = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const done = new Promise<void>((resolve, reject) => {
      [this.filled, this.failed] = [resolve, reject];
    });
    const early = this.early.splice(0);
    for (const bytes of early) this.take(bytes);
    if (this.into.length > 0) this.socket.resume();
    await done;
  }

  close(): void {
    this.socket.destroy();
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
}

const chunkBytes = 1 << 20;

/** Until all that was written is on its way, or will never be. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'close'] as const) socket.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close'] as const) socket.once(event, done);
  });
}
