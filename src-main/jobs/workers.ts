import type { JobKind } from '../../src-shared/domain/job.ts';
import type { AskVariety, FromWorker } from '../features/tasks.ts';
import type { StartWorker, WorkerProcess } from './workerProcess.ts';

/** Milliseconds that a worker waits for another job before it ends. */
const stayFor = 120_000;

/** A worker process, and who listens to it now. */
export interface Seat {
  readonly worker: WorkerProcess;
  heard: (message: FromWorker) => void;
  ended: (why: string) => void;
  isAlive: boolean;
}

/** Starts worker processes, and keeps at most one that has done a job waiting for another of its kind. */
export class Workers {
  private readonly asked = new Set<WorkerProcess>();
  private waiting: { seat: Seat; kind: JobKind; timer: NodeJS.Timeout } | undefined;

  constructor(private readonly start: StartWorker) {}

  /** The one that waits for a job of this kind, else a new one. */
  take(kind: JobKind): Seat {
    if (this.waiting?.kind !== kind) return this.open();
    const { seat, timer } = this.waiting;
    clearTimeout(timer);
    this.waiting = undefined;
    return seat;
  }

  /** Lets a worker wait for another job of this kind. */
  keep(seat: Seat, kind: JobKind): void {
    this.dismiss();
    seat.heard = () => undefined;
    seat.ended = () => undefined;
    const timer = setTimeout(() => this.dismiss(), stayFor).unref();
    if (seat.isAlive) this.waiting = { seat, kind, timer };
  }

  /** Ends the one that waits, unless it waits for a job of this kind. */
  dismiss(exceptFor?: JobKind): void {
    if (!this.waiting || this.waiting.kind === exceptFor) return;
    clearTimeout(this.waiting.timer);
    this.waiting.seat.worker.kill();
    this.waiting = undefined;
  }

  /** Asks a worker of its own, which ends with its answer; undefined where none came. */
  async ask(question: AskVariety): Promise<number | null | undefined> {
    return new Promise<number | null>((resolve, reject) => {
      const seat = this.open();
      this.asked.add(seat.worker);
      seat.heard = (message) => {
        if (message.type === 'answer') resolve(message.variety);
      };
      seat.ended = (why) => {
        this.asked.delete(seat.worker);
        reject(new Error(why));
      };
      seat.worker.send(question);
    }).catch(() => undefined);
  }

  /** Ends those that were asked something: nobody waits any more. */
  hangUp(): void {
    for (const worker of this.asked) worker.kill();
  }

  private open(): Seat {
    const worker = this.start();
    const seat: Seat = { worker, heard: () => undefined, ended: () => undefined, isAlive: true };
    worker.onMessage((message) => seat.heard(message));
    worker.onExit((why) => {
      seat.isAlive = false;
      if (this.waiting?.seat === seat) this.waiting = undefined;
      seat.ended(why);
    });
    return seat;
  }
}
