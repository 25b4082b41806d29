import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import PQueue from 'p-queue';
import pRetry, { AbortError } from 'p-retry';
import { problem, type LikenessError } from '../../../../src-shared/messages/index.ts';
import type { FlatParameters } from '../../optim/flatParameters.ts';
import { accumulator } from '../../optim/optimizer.ts';
import type { Feeds, GradientSource, Losses } from '../loss/gradients.ts';
import { Listener } from './listener.ts';
import { options, send, service, type ToWorker } from './protocol.ts';
import { WorkerConnection, WorkerLost, type Answer, type Stream } from './workerConnection.ts';

export interface TeamOptions {
  /** Where the trained parameters lie. */
  readonly layout: FlatParameters;
  /** What a worker must know to build the same loss: JSON. */
  readonly run: unknown;
  /** "host:port"; port 0 takes a free one. */
  readonly listen: string;
  readonly signal: AbortSignal;
  readonly report: (message: string) => void;
  /** A worker that cannot do this run's work: what it said. */
  readonly onUnfit: (error: LikenessError) => void;
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
  private readonly server = new Server(options);
  private readonly listener: Listener;
  private readonly queue = new PQueue({ autoStart: false });
  private readonly connections = new Set<WorkerConnection>();
  private readonly idle: WorkerConnection[] = [];
  private readonly add: ReturnType<typeof accumulator>;
  /** Gradients' memory, to be used again. */
  private readonly free: Float32Array[] = [];
  private version = 0;
  private fault: Error | undefined;

  private constructor(private readonly given: TeamOptions) {
    this.layout = given.layout;
    this.add = accumulator();
    this.server.addService(service, { work: (stream: Stream) => this.welcome(stream) });
    const grpc = this.server.createConnectionInjector(ServerCredentials.createInsecure());
    this.listener = new Listener((socket) => grpc.injectConnection(socket));
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
    return this.connections.size;
  }

  /** Nobody will come any more: what waits for workers ends with this. */
  giveUp(fault: Error): void {
    this.fault = fault;
    for (const connection of this.connections) connection.leave();
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
    await Promise.all([...this.connections].map(async (connection) => connection.dismiss()));
    this.server.forceShutdown();
    this.listener.close();
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
            const connection = this.idle.pop();
            if (!connection) throw new WorkerLost('no worker is free');
            return connection.gradient(batch, values, version);
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

  private welcome(stream: Stream): void {
    const refuse = (code: status, details: string): void => {
      stream.emit('error', Object.assign(new Error(details), { code, details, metadata: new Metadata() }));
    };
    const [token] = stream.metadata.get('token');
    if (typeof token !== 'string' || !same(token, this.token))
      return refuse(status.UNAUTHENTICATED, 'the token is another one');
    const connection: WorkerConnection = new WorkerConnection(stream, {
      memory: () => this.free.pop() ?? this.layout.allocate(),
      onReady: (length) => {
        if (length !== this.layout.length)
          return refuse(status.FAILED_PRECONDITION, 'the weights of this worker have another shape');
        this.connections.add(connection);
        this.given.report(`${connection.name} works along: ${this.connections.size} in all`);
        this.available(connection);
      },
      onIdle: () => this.available(connection),
      onLost: () => this.lost(connection),
      onFailed: (error) => this.given.onUnfit(error),
    });
    const channel = this.listener.expect((socket) => connection.take(socket));
    stream.once('close', () => this.listener.forget(channel));
    void send(stream, { type: 'run', run: this.given.run, channel } satisfies ToWorker);
  }

  /** As many batches are handed out as there are workers; each takes one at a time. */
  private available(connection: WorkerConnection): void {
    if (!this.connections.has(connection)) return;
    this.idle.push(connection);
    this.adjust();
  }

  private lost(connection: WorkerConnection): void {
    if (!this.connections.delete(connection)) return;
    this.times.lost++;
    const place = this.idle.indexOf(connection);
    if (place >= 0) this.idle.splice(place, 1);
    this.given.report(`${connection.name} is lost: ${this.connections.size} left`);
    this.adjust();
  }

  private adjust(): void {
    if (this.fault) return;
    if (this.connections.size === 0) return this.queue.pause();
    this.queue.concurrency = this.connections.size;
    this.queue.start();
  }
}

function same(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
