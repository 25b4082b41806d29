import { computes, type Job } from '../../src-shared/domain/job.ts';
import { listen, request } from '../client/index.ts';
import { attempt } from './toasts.svelte.ts';

type Action = 'pause' | 'resume' | 'cancel' | 'retry' | 'first';

/** The queue: what runs, what waits, what ended. */
class Jobs {
  #list = $state.raw<readonly Job[]>([]);
  readonly #ends = new Set<(job: Job) => void>();

  constructor() {
    listen('jobs.changed', (job) => this.#put(job));
    listen('jobs.progress', ({ id, progress }) => {
      this.#list = this.#list.map((job) => (job.id === id ? { ...job, progress } : job));
    });
    listen('jobs.removed', ({ ids }) => {
      this.#list = this.#list.filter(({ id }) => !ids.includes(id));
    });
  }

  get running(): readonly Job[] {
    return this.#list.filter(({ state }) => state === 'running' || state === 'paused');
  }

  get queued(): readonly Job[] {
    return this.#list.filter(({ state }) => state === 'queued').sort((a, b) => a.position - b.position);
  }

  /** A dry run that was cancelled is not among them: a training that starts ends it, and nobody waits for it any more. */
  get ended(): readonly Job[] {
    return this.#list
      .filter(
        ({ state, kind }) =>
          state === 'done' || state === 'failed' || (state === 'cancelled' && kind !== 'measure'),
      )
      .sort((a, b) => (b.finishedAt ?? b.createdAt) - (a.finishedAt ?? a.createdAt));
  }

  /** What a queued job waits for. */
  get inTheWay(): Job | undefined {
    return this.#list.find(({ state, kind }) => state === 'running' && computes(kind));
  }

  /** Something computes, or waits for its turn; what is paused does neither. */
  get busy(): boolean {
    return this.#list.some(({ state }) => state === 'running' || state === 'queued');
  }

  /** Unfinished jobs. */
  get open(): number {
    return this.running.length + this.queued.length;
  }

  /** The job that measures this machine for a subject. */
  measuring(subject: number): Job | undefined {
    return [...this.running, ...this.queued].find(
      ({ kind, subjectId }) => kind === 'measure' && subjectId === subject,
    );
  }

  byId(id: number | null | undefined): Job | undefined {
    return this.#list.find((job) => job.id === id);
  }

  /** Calls `heard` on each job that ends while the page is open, done or failed. */
  onEnd(heard: (job: Job) => void): void {
    this.#ends.add(heard);
  }

  async load(): Promise<void> {
    this.#list = (await attempt(() => request('jobs.list', {}))) ?? this.#list;
  }

  async act(action: Action, id: number): Promise<void> {
    const job = await attempt(() => request(`jobs.${action}`, { id }));
    if (job) this.#put(job);
  }

  /** Moves a waiting job up (-1) or down (1). */
  async move(job: Job, by: -1 | 1): Promise<void> {
    const { queued } = this;
    const place = queued.findIndex(({ id }) => id === job.id);
    const before = queued[by === -1 ? place - 1 : place + 2]?.id ?? null;
    await attempt(() => request('jobs.move', { id: job.id, before }));
    await this.load();
  }

  async clear(): Promise<void> {
    await attempt(() => request('jobs.clear', {}));
    await this.load();
  }

  #put(job: Job): void {
    const before = this.byId(job.id);
    if (before && before.state !== job.state && (job.state === 'done' || job.state === 'failed'))
      for (const heard of this.#ends) heard(job);
    this.#list = before
      ? this.#list.map((other) => (other.id === job.id ? job : other))
      : [...this.#list, job];
  }
}

export const jobs = new Jobs();
