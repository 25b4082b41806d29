import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { Metadata, Server, ServerCredentials, status, type ServerDuplexStream } from '@grpc/grpc-js';
import PQueue from 'p-queue';
import pRetry, { AbortError } from 'p-retry';
import { LikenessError, problem, type MessageCode } from '../../../../src-shared/messages/index.ts';
import type { FlatParameters } from '../../optim/flatParameters.ts';
import { accumulator } from '../../optim/optimizer.ts';
import type { Feeds, GradientSource, Losses } from '../loss/gradients.ts';
import { Door } from './door.ts';
import { Lane } from './lane.ts';
import { fromWorkerType, Inbox, options, send, service, type FromWorker, type ToWorker } from './protocol.ts';

type Stream = ServerDuplexStream<Buffer, Buffer>;

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
  private readonly door: Door;
  private readonly queue = new PQueue({ autoStart: false });
  private readonly members = new Set<Member>();
  private readonly idle: Member[] = [];
  private readonly add: ReturnType<typeof accumulator>;
  /** Gradients' memory, to be used again. */
  private readonly free: Float32Array[] = [];
  private version = 0;
  private fault: Error | undefined;

  private constructor(private readonly given: TeamOptions) {
    this.layout = given.layout;
    this.add = accumulator(given.layout.length);
    this.server.addService(service, { work: (stream: Stream) => this.welcome(stream) });
    const grpc = this.server.createConnectionInjector(ServerCredentials.createInsecure());
    this.door = new Door((socket) => grpc.injectConnection(socket));
  }

  /** Opens the door. Errors: `team.listen`. */
  static async open(given: TeamOptions): Promise<{ team: Team; port: number }> {
    const team = new Team(given);
    const port = await team.door.listen(given.listen).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw problem('team.listen', { address: given.listen, why }, error);
    });
    return { team, port };
  }

  get size(): number {
    return this.members.size;
  }

  /** Nobody will come any more: what waits for workers ends with this. */
  giveUp(fault: Error): void {
    this.fault = fault;
    for (const member of this.members) member.leave();
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
    await Promise.all([...this.members].map(async (member) => member.dismiss()));
    this.server.forceShutdown();
    this.door.close();
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
            const member = this.idle.pop();
            if (!member) throw new MemberLost('no worker is free');
            return member.gradient(batch, values, version);
          },
          { signal },
        );
        return answer;
      },
      {
        ...{ retries: Infinity, minTimeout: 0, maxTimeout: 0, signal },
        shouldRetry: ({ error }) => error instanceof MemberLost,
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
    const member: Member = new Member(stream, {
      memory: () => this.free.pop() ?? this.layout.allocate(),
      onReady: (length) => {
        if (length !== this.layout.length)
          return refuse(status.FAILED_PRECONDITION, 'the weights of this worker have another shape');
        this.members.add(member);
        this.given.report(`${member.name} works along: ${this.members.size} in all`);
        this.available(member);
      },
      onIdle: () => this.available(member),
      onLost: () => this.lost(member),
      onFailed: (error) => this.given.onUnfit(error),
    });
    const lane = this.door.expect((socket) => member.take(socket));
    stream.once('close', () => this.door.forget(lane));
    void send(stream, { type: 'run', run: this.given.run, lane } satisfies ToWorker);
  }

  /** As many batches are handed out as there are workers; each takes one at a time. */
  private available(member: Member): void {
    if (!this.members.has(member)) return;
    this.idle.push(member);
    this.adjust();
  }

  private lost(member: Member): void {
    if (!this.members.delete(member)) return;
    this.times.lost++;
    const place = this.idle.indexOf(member);
    if (place >= 0) this.idle.splice(place, 1);
    this.given.report(`${member.name} is lost: ${this.members.size} left`);
    this.adjust();
  }

  private adjust(): void {
    if (this.fault) return;
    if (this.members.size === 0) return this.queue.pause();
    this.queue.concurrency = this.members.size;
    this.queue.start();
  }
}

interface Answer {
  readonly losses: Losses;
  readonly gradient: Float32Array;
  readonly seconds: number;
}

interface MemberEvents {
  readonly memory: () => Float32Array;
  readonly onReady: (length: number) => void;
  readonly onIdle: () => void;
  readonly onLost: () => void;
  readonly onFailed: (error: LikenessError) => void;
}

/** The connection to a worker ended before its answer. */
class MemberLost extends Error {}

/** A worker, as the team sees it. */
class Member {
  name = 'a worker';
  private version = 0;
  private ended = false;
  private lane: Lane | undefined;
  /** Of its layout, as it said. */
  private length: number | undefined;
  private waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  constructor(
    private readonly stream: Stream,
    private readonly events: MemberEvents,
  ) {
    const inbox = new Inbox<FromWorker>(fromWorkerType, (said) => this.heard(said));
    stream.on('data', (message: Buffer) => {
      try {
        inbox.take(message);
      } catch {
        // What says nothing that a worker says is none.
        stream.end();
        this.leave();
      }
    });
    for (const event of ['cancelled', 'error', 'end', 'close']) stream.on(event, () => this.leave());
  }

  /** Its lane has come. */
  take(socket: Socket): void {
    this.lane = new Lane(socket, () => this.leave());
    this.begin();
  }

  async gradient(batch: Feeds, values: Float32Array, version: number): Promise<Answer> {
    if (this.ended) throw new MemberLost(this.name);
    const answer = new Promise<Answer>((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
    answer.catch(() => undefined);
    if (this.version !== version) {
      this.version = version;
      await send(this.stream, { type: 'values' } satisfies ToWorker);
      await this.lane?.send(values);
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
    this.waiting?.reject(new MemberLost(this.name));
    this.stream.destroy();
    this.lane?.close();
  }

  private begin(): void {
    if (this.lane && this.length !== undefined) this.events.onReady(this.length);
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
      await this.lane?.receive(gradient);
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

function same(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
