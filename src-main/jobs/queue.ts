import {
  computes,
  type Job,
  type JobKind,
  type JobProgress,
  type JobState,
} from '../../src-shared/domain/job.ts';
import type { Problem } from '../../src-shared/messages/problem.ts';
import type { WorkerEvent } from '../../src-shared/domain/workerMessages.ts';
import { inStudio } from '../../src-shared/messages/inStudio.ts';
import { problem, type LikenessError } from '../../src-shared/messages/index.ts';
import { TimeLeft } from '../../src-shared/domain/timeLeft.ts';
import type { AskVariety, FromWorker, ResultOf, Start, TaskOf } from '../features/tasks.ts';
import { publicJob, type Jobs, type NewJob, type StoredJob } from '../storage/jobs.ts';
import { JobStates } from './jobStates.ts';
import type { JobHandlings } from './kind.ts';
import type { StartWorker, WorkerProcess } from './workerProcess.ts';
import { Workers, type Seat } from './workers.ts';

/** Tells the windows. */
export interface QueueEvents {
  readonly changed: (job: Job) => void;
  readonly progress: (id: number, progress: JobProgress) => void;
  readonly removed: (ids: readonly number[]) => void;
  /** A worker wanted to reach another machine. */
  readonly socket: (host: string, refused: boolean) => void;
}

/** Something that stops every job, such as a full disk: a better reason for a failure than its consequences. */
export type Obstacle = () => LikenessError | undefined;

interface Running {
  readonly seat: Seat;
  readonly worker: WorkerProcess;
  readonly timeLeft: TimeLeft;
  /** The job's state once its worker has ended after being told to stop. */
  wanted?: 'paused' | 'cancelled' | 'queued' | undefined;
  progress: JobProgress | null;
  savedAt: number;
  /** Events and the end are handled in this order. */
  after: Promise<void>;
  ended: boolean;
}

/** Milliseconds that a worker has to stop: one training step of a large model takes a while. */
const patience = 120_000;

/** The queue of jobs. It is kept in the library's database, so it survives restarts, and it owns the worker processes. */
export class JobQueue {
  private readonly running = new Map<number, Running>();
  private readonly workers: Workers;
  private closing = false;
  private readonly states: JobStates;

  constructor(
    private readonly jobs: Jobs,
    startWorker: StartWorker,
    private readonly kinds: JobHandlings,
    private readonly events: QueueEvents,
    private readonly obstacle: Obstacle,
  ) {
    this.workers = new Workers(startWorker);
    this.states = new JobStates(
      jobs,
      (job) => this.tell(job),
      (job) => kinds[job.kind].changed?.(job),
    );
  }

  /** Continues the jobs that an earlier process left running. */
  open(): void {
    for (const { id } of this.jobs.inState('running')) this.states.set(id, 'queued');
    this.next();
  }

  add(job: NewJob): Job {
    const added = this.jobs.add(job);
    this.tell(added);
    this.next();
    return publicJob(this.jobs.get(added.id));
  }

  list(): Job[] {
    return this.jobs.list().map((job) => publicJob(this.asItIs(job)));
  }

  pause(id: number): Job {
    return this.stop(id, 'paused');
  }

  /** Pauses all running and waiting jobs of a kind. */
  pauseAll(kind: JobKind): void {
    for (const state of ['queued', 'running'] as const)
      for (const job of this.jobs.inState(state)) if (job.kind === kind) this.pause(job.id);
  }

  cancel(id: number): Job {
    return this.stop(id, 'cancelled');
  }

  /** Paused → queued. */
  resume(id: number): Job {
    return this.requeue(id, ['paused']);
  }

  /** Failed or cancelled → queued, at the end of the queue. */
  retry(id: number): Job {
    return this.requeue(id, ['failed', 'cancelled']);
  }

  /** Puts a queued job in front of another; null: last. */
  move(id: number, before: number | null): Job {
    const job = this.jobs.get(id);
    if (job.state !== 'queued') throw wrongState(job);
    const others = this.jobs.inState('queued').filter((other) => other.id !== id);
    const place = before === null ? -1 : others.findIndex((other) => other.id === before);
    const [left, right] =
      place < 0
        ? [others.at(-1)?.position ?? job.position, undefined]
        : [others[place - 1]?.position, others[place]?.position];
    const position =
      right === undefined ? (left ?? 0) + 1 : left === undefined ? right - 1 : (left + right) / 2;
    const moved = this.jobs.change(id, { position });
    this.tell(moved);
    return publicJob(moved);
  }

  /** Runs a queued job now: the computing one keeps what it has, makes way, and resumes by itself afterwards. */
  first(id: number): Job {
    const job = this.jobs.get(id);
    if (job.state !== 'queued') throw wrongState(job);
    const others = [...this.jobs.inState('running'), ...this.jobs.inState('queued')];
    const position = Math.min(...others.map((other) => other.position)) - 1;
    this.tell(this.jobs.change(id, { position }));
    for (const [other, running] of this.running)
      if (computes(this.jobs.get(other).kind)) this.askToStop(other, running, 'queued');
    this.next();
    return publicJob(this.jobs.get(id));
  }

  clear(): void {
    this.events.removed(this.jobs.clearEnded());
  }

  /** Whether an unfinished job works on this run, or on any run or picture of this subject. */
  isBusy(what: { readonly runId?: number; readonly subjectId?: number }): boolean {
    return (['running', 'queued', 'paused'] as const)
      .flatMap((state) => this.jobs.inState(state))
      .some((job) =>
        what.runId === undefined ? job.subjectId === what.subjectId : job.runId === what.runId,
      );
  }

  /** Lets a worker prepare what a job of this kind will need, unless something is computing. */
  prepare(kind: 'generate', task: TaskOf<'generate'>): void {
    const busy = (['running', 'queued'] as const).some((state) =>
      this.jobs.inState(state).some((job) => computes(job.kind)),
    );
    if (this.closing || busy) return;
    const seat = this.workers.take(kind);
    seat.worker.send({ type: 'prepare', task });
    this.workers.keep(seat, kind);
  }

  /** How different photos are, by a worker beside the queue; undefined where it could not be found out. */
  variety(request: AskVariety['request']): Promise<number | null | undefined> {
    return this.workers.ask({ type: 'variety', request });
  }

  /** Stops the workers, which keep what they have; their jobs resume at the next start. */
  async close(grace = 5_000): Promise<void> {
    this.closing = true;
    this.workers.dismiss();
    this.workers.hangUp();
    const ends = [...this.running.values()].map((running) => {
      running.wanted ??= 'queued';
      running.worker.send({ type: 'stop' });
      return new Promise<void>((resolve) => {
        const timer = setTimeout(() => running.worker.kill(), grace);
        running.worker.onExit(() => {
          clearTimeout(timer);
          void running.after.then(resolve);
        });
      });
    });
    await Promise.all(ends);
    this.states.close();
  }

  private stop(id: number, wanted: 'paused' | 'cancelled'): Job {
    const job = this.jobs.get(id);
    const running = this.running.get(id);
    if (running) {
      this.askToStop(id, running, wanted);
      this.tell(job);
    } else if (job.state === 'queued' || (job.state === 'paused' && wanted === 'cancelled')) {
      this.states.set(id, wanted);
    } else throw wrongState(job);
    return publicJob(this.asItIs(this.jobs.get(id)));
  }

  private askToStop(id: number, running: Running, wanted: Running['wanted']): void {
    running.wanted = wanted;
    running.worker.send({ type: 'stop' });
    setTimeout(() => {
      if (this.running.get(id) === running) running.worker.kill();
    }, patience).unref();
  }

  private requeue(id: number, from: readonly JobState[]): Job {
    const job = this.jobs.get(id);
    if (!from.includes(job.state)) throw wrongState(job);
    this.states.set(id, 'queued', null);
    this.next();
    return publicJob(this.jobs.get(id));
  }

  /** Starts what may run now. */
  private next(): void {
    if (this.closing) return;
    for (const job of this.jobs.inState('queued')) {
      const busy = [...this.running.keys()].some((id) => computes(this.jobs.get(id).kind));
      if (!computes(job.kind) || !busy) this.start(job);
    }
  }

  private start(job: StoredJob): void {
    let start: Start<JobKind>;
    try {
      start = this.startOf(job.kind, job);
    } catch (error) {
      this.states.set(job.id, 'failed', inStudio(error));
      return;
    }
    // A waiting worker frees its memory for the one that computes now.
    if (computes(job.kind)) this.workers.dismiss(job.kind);
    const seat = this.workers.take(job.kind);
    const { worker } = seat;
    const running: Running = {
      seat,
      worker,
      timeLeft: new TimeLeft(this.kinds[job.kind].expected?.(job)),
      progress: null,
      savedAt: 0,
      after: Promise.resolve(),
      ended: false,
    };
    this.running.set(job.id, running);
    this.states.set(job.id, 'running');
    seat.heard = (message) => this.heard(job.id, running, message);
    seat.ended = (why) => this.exited(job.id, running, why);
    worker.send(start);
  }

  private startOf<K extends JobKind>(kind: K, job: StoredJob): Start<K> {
    const { task, online = false, stays = false, models } = this.kinds[kind];
    const locks = models?.(job).map(({ path, hash }) => ({ path, hash })) ?? [];
    return { type: 'start', kind, task: task(job), online, stay: stays, locks };
  }

  private async done<K extends JobKind>(kind: K, job: StoredJob, result: ResultOf<K>): Promise<void> {
    await this.kinds[kind].done?.(job, result);
  }

  private heard(id: number, running: Running, message: FromWorker): void {
    switch (message.type) {
      case 'memory':
        if (running.progress)
          this.progressed(id, running, { ...running.progress, ...timeShown(running), memory: message.bytes });
        return;
      case 'socket':
        return this.events.socket(message.host, message.refused);
      case 'answer':
        return;
      case 'event':
        return this.event(id, running, message.event);
      case 'done':
        running.ended = true;
        return this.then(running, async () => {
          const job = this.jobs.get(id);
          await this.done(job.kind, job, message.result);
          this.end(id, 'done');
          if (!this.kinds[job.kind].stays || !running.seat.isAlive) return;
          if (this.closing) return running.worker.kill();
          this.running.delete(id);
          this.workers.keep(running.seat, job.kind);
          this.next();
        });
      case 'failed':
        running.ended = true;
        return this.then(running, () => {
          const stopped = message.problem.code === 'cancelled' ? running.wanted : undefined;
          this.end(id, stopped ?? 'failed', stopped ? null : message.problem);
        });
    }
  }

  private event(id: number, running: Running, event: WorkerEvent): void {
    if (event.type === 'plan') running.timeLeft.plan(event.phases);
    if (event.type === 'progress') {
      const { done, total, label = 'working' } = event;
      running.timeLeft.secondsLeft(label, done, total, performance.now() / 1000);
      const memory = running.progress?.memory ?? null;
      this.progressed(id, running, { done, total, label, ...timeShown(running), memory });
    }
    this.then(running, async () => {
      const job = this.jobs.get(id);
      if (event.type === 'warning')
        this.tell(this.jobs.change(id, { warnings: [...job.warnings, event.message].slice(-50) }));
      await this.kinds[job.kind].event?.(job, event);
    });
  }

  private progressed(id: number, running: Running, progress: JobProgress): void {
    running.progress = progress;
    this.events.progress(id, progress);
    if (Date.now() - running.savedAt < 2000) return;
    running.savedAt = Date.now();
    try {
      this.jobs.change(id, { progress });
    } catch {
      // On a full disk, only this progress figure is lost. States are written again later, by `JobStates`.
    }
  }

  /** A worker that ended without its last message has crashed, or was killed because it would not stop. */
  private exited(id: number, running: Running, why: string): void {
    if (!running.ended)
      this.then(running, () => {
        const job = this.jobs.get(id);
        const kept = this.kinds[job.kind].kept?.(job);
        const crashed = running.wanted
          ? null
          : inStudio(problem('job.crashed', { title: job.title, why, kept }));
        this.end(id, running.wanted ?? 'failed', crashed);
      });
    this.then(running, () => {
      this.running.delete(id);
      this.next();
    });
  }

  private end(id: number, state: JobState, error: Problem | null = null): void {
    const progress = this.running.get(id)?.progress;
    if (progress) this.jobs.keep(id, { progress });
    const obstacle = state === 'failed' ? this.obstacle() : undefined;
    this.states.set(id, state, obstacle ? inStudio(obstacle) : error);
  }

  /** An error thrown by a handler fails the job, and nothing else. */
  private then(running: Running, work: () => void | Promise<void>): void {
    running.after = running.after.then(work).catch((error: unknown) => {
      const id = [...this.running].find(([, other]) => other === running)?.[0];
      const job = id === undefined ? undefined : this.jobs.find(id);
      if (!job) return;
      this.end(job.id, 'failed', inStudio(error));
      running.ended = true;
      running.worker.kill();
    });
  }

  private tell(job: StoredJob): void {
    this.events.changed(publicJob(this.asItIs(job)));
  }

  private asItIs(job: StoredJob): StoredJob {
    const running = this.running.get(job.id);
    if (!running) return job;
    const { wanted } = running;
    const stopping = job.state === 'running' && wanted !== 'queued' ? (wanted ?? null) : null;
    return { ...job, stopping, progress: running.progress ?? job.progress };
  }
}

/** How far the whole job is, and how long it will take. */
function timeShown({ timeLeft }: Running): Pick<JobProgress, 'eta' | 'share'> {
  const now = performance.now() / 1000;
  return { eta: timeLeft.left(now), share: timeLeft.share(now) };
}

function wrongState({ title, state }: Job): LikenessError {
  return problem('job.wrongState', { title, state });
}
