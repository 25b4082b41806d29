import { randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import PQueue from 'p-queue';
import pRetry, { AbortError } from 'p-retry';
import { type LikenessError, problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import type { FlatParameters } from '../../optim/flatParameters.ts';
import { accumulator } from '../../optim/optimizer.ts';
import type { Feeds, GradientSource, Losses } from '../loss/gradients.ts';
import { Connection } from './connection.ts';
import { Listener } from './listener.ts';
import { WorkerConnection, WorkerLost, type Answer } from './workerConnection.ts';

export interface TeamOptions {
  /** Where the trained parameters lie. */
  readonly layout: FlatParameters;
  /** What a worker must know to build the same loss: JSON. */
  readonly run: unknown;
  /** The run's model of this hash, for workers that lack it. */
  readonly modelOf?: (hash: string) => Model | undefined;
  /** "host:port"; port 0 takes a free one. */
  readonly listen: string;
  readonly signal: AbortSignal;
  readonly report: (message: string) => void;
  /** A worker that cannot do this run's work: what it said. */
  readonly onUnfit: (error: LikenessError) => void;
  /** The process of this id is lost, though it may still be there. */
  readonly onLost?: (id: string) => void;
}

/** What was done, and how long it took. */
export interface TeamTimes {
  /** Seconds of waiting for gradients. */
  waited: number;
  /** Seconds that workers computed. */
  computed: number;
  batches: number;
  lost: number;
}

/**
 * Gradients from workers in other processes, on this machine and on others. The unit of work is a batch's gradient at the weights of
 * the moment: a function of what is sent, whoever computes it. They are added in the order of the batches, so a step has the same
 * bits whatever workers come and go; a batch whose worker is lost is given to another one.
 */
export class Team implements GradientSource {
  readonly layout: FlatParameters;
  readonly token = randomBytes(16).toString('hex');
  readonly times: TeamTimes = { waited: 0, computed: 0, batches: 0, lost: 0 };
  private readonly listener: Listener;
  private readonly queue = new PQueue({ autoStart: false });
  /** All connections, by the id of the process. */
  private readonly connected = new Map<string, WorkerConnection>();
  /** Those of them that can compute. */
  private readonly workers = new Set<WorkerConnection>();
  private readonly idle: WorkerConnection[] = [];
  private readonly clock: NodeJS.Timeout;
  private readonly add: ReturnType<typeof accumulator>;
  /** Gradients' memory, to be used again. */
  private readonly free: Float32Array[] = [];
  private version = 0;
  private fault: Error | undefined;

  private constructor(private readonly given: TeamOptions) {
    this.layout = given.layout;
    this.add = accumulator();
    this.listener = new Listener(this.token, {
      onWorker: (socket, id) => this.welcome(socket, id),
      onHeartbeat: (id) => this.connected.get(id)?.beat(),
    });
    this.clock = setInterval(() => {
      for (const worker of this.connected.values()) worker.tick();
    }, 1000).unref();
  }

  /** Starts to listen. Errors: `team.listen`. */
  static async open(given: TeamOptions): Promise<{ team: Team; port: number }> {
    const team = new Team(given);
    const port = await team.listener.listen(given.listen).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw problem('team.listen', { address: given.listen, why }, error);
    });
    return { team, port };
  }

  get size(): number {
    return this.workers.size;
  }

  /** No worker will come any more: what waits for one fails with `fault`. */
  giveUp(fault: Error): void {
    this.fault = fault;
    for (const worker of this.workers) worker.leave();
    this.queue.concurrency = 1;
    this.queue.start();
  }

  async compute(batches: readonly Feeds[], values: Float32Array, into: Float32Array): Promise<Losses> {
    const started = performance.now();
    this.version++;
    const own = new AbortController();
    const signal = AbortSignal.any([this.given.signal, own.signal]);
    const answers = batches.map((batch) => this.handOut(batch, values, signal));
    for (const answer of answers) answer.catch(() => undefined);
    const sums: Record<string, number> = {};
    try {
      for (const [index, answer] of answers.entries()) {
        const { losses, gradient, seconds } = await answer;
        if (index === 0) into.set(gradient);
        else await this.add(into, gradient);
        this.free.push(gradient);
        for (const [name, value] of Object.entries(losses))
          sums[name] = (sums[name] ?? 0) + value / batches.length;
        this.times.computed += seconds;
        this.times.batches++;
      }
    } finally {
      own.abort(new Error('the step is over'));
    }
    if (batches.length > 1) for (let i = 0; i < into.length; i++) (into[i] as number) /= batches.length;
    this.times.waited += (performance.now() - started) / 1000;
    return sums;
  }

  async dispose(): Promise<void> {
    this.queue.clear();
    clearInterval(this.clock);
    this.listener.close();
    await Promise.all([...this.connected.values()].map((worker) => worker.dismiss()));
  }

  /** A batch's gradient, from whichever worker is free, and from another where that one is lost. */
  private handOut(batch: Feeds, values: Float32Array, signal: AbortSignal): Promise<Answer> {
    const version = this.version;
    return pRetry(
      async () => {
        if (this.fault) throw new AbortError(this.fault);
        const answer = await this.queue.add(
          async () => {
            if (this.fault) throw new AbortError(this.fault);
            const worker = this.idle.pop();
            if (!worker) throw new WorkerLost('no worker is free');
            return worker.gradient(batch, values, version);
          },
          { signal },
        );
        return answer;
      },
      {
        ...{ retries: Infinity, minTimeout: 0, maxTimeout: 0, signal },
        shouldRetry: ({ error }) => error instanceof WorkerLost,
      },
    );
  }

  private welcome(socket: TLSSocket, id: string): void {
    const worker: WorkerConnection = new WorkerConnection(new Connection(socket), id, {
      modelOf: (hash) => this.given.modelOf?.(hash),
      memory: () => this.free.pop() ?? this.layout.allocate(),
      onReady: (length) => {
        if (length !== this.layout.length)
          return void worker.refuse('the weights of this worker have another shape');
        this.workers.add(worker);
        this.given.report(`${worker.name} works along: ${this.workers.size} in all`);
        this.available(worker);
      },
      onIdle: () => this.available(worker),
      onLost: (why) => this.lost(worker, why),
      onFailed: (error) => this.given.onUnfit(error),
    });
    this.connected.get(id)?.leave();
    this.connected.set(id, worker);
    worker.begin(this.given.run);
  }

  /** As many batches are handed out as there are workers; each takes one at a time. */
  private available(worker: WorkerConnection): void {
    if (!this.workers.has(worker)) return;
    this.idle.push(worker);
    this.adjust();
  }

  private lost(worker: WorkerConnection, why?: string): void {
    if (this.connected.get(worker.id) === worker) this.connected.delete(worker.id);
    this.given.onLost?.(worker.id);
    if (!this.workers.delete(worker)) return;
    this.times.lost++;
    const place = this.idle.indexOf(worker);
    if (place >= 0) this.idle.splice(place, 1);
    const reason = why === undefined ? '' : ` (${why})`;
    this.given.report(`${worker.name} is lost${reason}: ${this.workers.size} left`);
    this.adjust();
  }

  private adjust(): void {
    if (this.fault) return;
    if (this.workers.size === 0) return this.queue.pause();
    this.queue.concurrency = this.workers.size;
    this.queue.start();
  }
}
