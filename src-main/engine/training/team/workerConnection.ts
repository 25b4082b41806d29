import { LikenessError, type MessageCode } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import type { Feeds, Losses } from '../loss/gradients.ts';
import type { Connection } from './connection.ts';
import { longestSilence } from './heartbeat.ts';
import { fromWorkerType, type FromWorker, type ToWorker } from './protocol.ts';
import { sendModel } from './sentModel.ts';

export interface Answer {
  readonly losses: Losses;
  readonly gradient: Float32Array;
  readonly seconds: number;
}

export interface WorkerEvents {
  /** The run's model of this hash, which the worker lacks; undefined where the run has no such model. */
  readonly modelOf: (hash: string) => Model | undefined;
  readonly memory: () => Float32Array;
  /** It can compute; `length` of its layout. */
  readonly onReady: (length: number) => void;
  readonly onIdle: () => void;
  /** `why`: in words, where there is more to say than that it is gone. */
  readonly onLost: (why?: string) => void;
  readonly onFailed: (error: LikenessError) => void;
}

/** The connection to a worker ended before its answer. */
export class WorkerLost extends Error {}

/** The run's end of the connection to one worker. */
export class WorkerConnection {
  name = 'a worker';
  private version = 0;
  private ended = false;
  private ready = false;
  private silent = 0;
  private sending = false;
  private waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  /** `id`: of the process at the other end. */
  constructor(
    private readonly connection: Connection,
    readonly id: string,
    private readonly events: WorkerEvents,
  ) {
    // Whoever sends anything else is no worker.
    this.listen().catch(() => this.leave());
  }

  /** Tells it which run it works for. */
  begin(run: unknown): void {
    void this.say({ type: 'run', run });
  }

  async gradient(batch: Feeds, values: Float32Array, version: number): Promise<Answer> {
    if (this.ended) throw new WorkerLost(this.name);
    const answer = new Promise<Answer>((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
    answer.catch(() => undefined);
    if (this.version !== version) {
      this.version = version;
      void this.say({ type: 'values' });
      await this.connection.give(values);
    }
    await this.connection.say({ type: 'batch' } satisfies ToWorker, batch);
    return answer;
  }

  /** It lives. */
  beat(): void {
    this.silent = 0;
  }

  /** A second has passed. Only seconds in which this process could listen count: it computes, too. */
  tick(): void {
    this.silent++;
    if (this.silent >= longestSilence) this.leave(`it has not been heard of for ${longestSilence} s`);
  }

  /** The run is over. */
  async dismiss(): Promise<void> {
    this.ended = true;
    if (this.waiting || this.sending) this.connection.close();
    await this.say({ type: 'end' });
    await this.connection.finish();
  }

  /** It cannot take part. */
  async refuse(why: string): Promise<void> {
    this.ended = true;
    await this.say({ type: 'refused', why });
    await this.connection.finish();
  }

  leave(why?: string): void {
    if (this.ended) return;
    this.ended = true;
    this.events.onLost(why);
    this.waiting?.reject(new WorkerLost(this.name));
    this.connection.close();
  }

  private say(said: ToWorker): Promise<void> {
    return this.connection.say(said);
  }

  private async listen(): Promise<void> {
    while (!this.ended) {
      const { said } = await this.connection.next(fromWorkerType);
      if (said.type === 'gradient') await this.answered(said);
      else if (said.type === 'lacks') await this.sendModel(said.hash);
      else if (said.type === 'failed') {
        this.events.onFailed(new LikenessError(said.code as MessageCode, said.message));
        this.leave();
      } else {
        if (this.ready) throw new Error('it is ready twice');
        [this.ready, this.name] = [true, said.name];
        this.events.onReady(said.length);
      }
    }
  }

  private async sendModel(hash: string): Promise<void> {
    const model = this.events.modelOf(hash);
    if (!model) return this.refuse('it asks for a model that is none of this run');
    this.sending = true;
    await sendModel(model, this.connection, (contents) => this.say({ type: 'model', contents }));
    this.sending = false;
  }

  private async answered({ losses, seconds }: FromWorker & { type: 'gradient' }): Promise<void> {
    const { waiting } = this;
    if (!waiting) throw new Error('nobody asked for a gradient');
    const gradient = this.events.memory();
    await this.connection.receive(gradient);
    this.waiting = undefined;
    waiting.resolve({ losses, gradient, seconds });
    this.events.onIdle();
  }
}
