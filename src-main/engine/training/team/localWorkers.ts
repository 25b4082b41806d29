import type { ChildProcess } from 'node:child_process';
import type { ProviderChoice } from '../../../../src-shared/domain/providers.ts';
import { problem } from '../../../../src-shared/messages/index.ts';

/** The command line of a worker on this machine, besides the run. */
export interface LocalPlaces {
  readonly model: string;
  readonly teacher?: string;
  readonly provider: ProviderChoice;
  /** Which of several cards, by CUDA's count. */
  readonly device?: number;
}

/** What a worker computes with, where that is not the run's own provider. */
export type WorkerProvider = Pick<LocalPlaces, 'provider' | 'device'>;

/** Starts a process that works for the run at `address`; it dies with this one. */
export type StartTeamWorker = (
  run: LocalPlaces & { readonly address: string; readonly token: string; readonly threads: number },
) => ChildProcess;

/** Ends in a row without any work between them, after which workers are not started again. */
const patience = 3;

/** Keeps `count` worker processes of this machine at work: one that ends is started anew. */
export class LocalWorkers {
  private readonly running = new Set<ChildProcess>();
  private stopped = false;
  private fruitless = 0;

  /** `start` gets the worker's number; `batches`: how many the team has done so far; `onHopeless` when no worker lives long enough to work. */
  constructor(
    private readonly start: (index: number) => ChildProcess,
    count: number,
    private readonly batches: () => number,
    private readonly onHopeless: (error: Error) => void,
  ) {
    for (let i = 0; i < count; i++) this.launch(i);
  }

  /** Process ids of those at work. */
  get pids(): number[] {
    return [...this.running].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** A worker has nothing to keep, and one that hangs or computes would not hear of the end. */
  stop(): void {
    this.stopped = true;
    for (const child of this.running) child.kill('SIGKILL');
  }

  /** The team is done with this one, which may hang. */
  end(pid: number): void {
    for (const child of this.running) if (child.pid === pid) child.kill('SIGKILL');
  }

  private launch(index: number): void {
    const child = this.start(index);
    const before = this.batches();
    let complaint = '';
    let over = false;
    this.running.add(child);
    child.stderr?.on('data', (bytes: Buffer) => {
      complaint = (complaint + bytes.toString()).slice(-2000);
    });
    const ended = (why: string): void => {
      if (over) return;
      over = true;
      this.running.delete(child);
      if (this.stopped) return;
      this.fruitless = this.batches() > before ? 0 : this.fruitless + 1;
      if (this.fruitless >= patience)
        this.onHopeless(problem('team.hopeless', { why: why.replace(/\.$/, '') }));
      else this.launch(index);
    };
    child.once('error', (error) => ended(error.message));
    child.once('exit', (code, signal) =>
      ended(complaint.trim().split('\n').at(-1) || signal || `exit status ${code ?? 'unknown'}`),
    );
  }
}
