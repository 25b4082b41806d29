import type { Socket } from 'node:net';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { LikenessError, type MessageCode } from '../../../../src-shared/messages/index.ts';
import type { Feeds, Losses } from '../loss/gradients.ts';
import { DataChannel } from './dataChannel.ts';
import { fromWorkerType, Inbox, send, type FromWorker, type ToWorker } from './protocol.ts';

export type Stream = ServerDuplexStream<Buffer, Buffer>;

export interface Answer {
  readonly losses: Losses;
  readonly gradient: Float32Array;
  readonly seconds: number;
}

export interface ConnectionEvents {
  readonly memory: () => Float32Array;
  readonly onReady: (length: number) => void;
  readonly onIdle: () => void;
  readonly onLost: () => void;
  readonly onFailed: (error: LikenessError) => void;
}

/** The connection to a worker ended before its answer. */
export class WorkerLost extends Error {}

/** The run's end of the connection to one worker: a gRPC stream for messages, a data channel for weights and gradients. */
export class WorkerConnection {
  name = 'a worker';
  private version = 0;
  private ended = false;
  private channel: DataChannel | undefined;
  /** Of its layout, as it said. */
  private length: number | undefined;
  private waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  constructor(
    private readonly stream: Stream,
    private readonly events: ConnectionEvents,
  ) {
    const inbox = new Inbox<FromWorker>(fromWorkerType, (said) => this.heard(said));
    stream.on('data', (message: Buffer) => {
      try {
        inbox.take(message);
      } catch {
        // Whatever sends this is not a worker.
        stream.end();
        this.leave();
      }
    });
    for (const event of ['cancelled', 'error', 'end', 'close']) stream.on(event, () => this.leave());
  }

  /** Takes the socket of its data channel. */
  take(socket: Socket): void {
    this.channel = new DataChannel(socket, () => this.leave());
    this.begin();
  }

  async gradient(batch: Feeds, values: Float32Array, version: number): Promise<Answer> {
    if (this.ended) throw new WorkerLost(this.name);
    const answer = new Promise<Answer>((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
    answer.catch(() => undefined);
    if (this.version !== version) {
      this.version = version;
      await send(this.stream, { type: 'values' } satisfies ToWorker);
      await this.channel?.send(values);
    }
    await send(this.stream, { type: 'batch' } satisfies ToWorker, batch);
    return answer;
  }

  /** The run is over. */
  async dismiss(): Promise<void> {
    this.ended = true;
    await send(this.stream, { type: 'end' } satisfies ToWorker);
    this.stream.end();
  }

  leave(): void {
    if (this.ended) return;
    this.ended = true;
    this.events.onLost();
    this.waiting?.reject(new WorkerLost(this.name));
    this.stream.destroy();
    this.channel?.close();
  }

  private begin(): void {
    if (this.channel && this.length !== undefined) this.events.onReady(this.length);
  }

  private heard(said: FromWorker): void {
    if (said.type === 'ready') {
      this.name = said.name;
      this.length = said.length;
      this.begin();
    } else if (said.type === 'failed') {
      this.events.onFailed(new LikenessError(said.code as MessageCode, said.message));
      this.leave();
    } else void this.answered(said);
  }

  private async answered({ losses, seconds }: FromWorker & { type: 'gradient' }): Promise<void> {
    const gradient = this.events.memory();
    try {
      await this.channel?.receive(gradient);
    } catch {
      this.leave();
      return;
    }
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.resolve({ losses, gradient, seconds });
    this.events.onIdle();
  }
}
