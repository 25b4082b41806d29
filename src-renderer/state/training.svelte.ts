import type { Input } from '../../src-shared/contract/index.ts';
import type { Preset } from '../../src-shared/contract/training.ts';
import type { TrainingChanges } from '../../src-shared/domain/finetuneSettings.ts';
import type { Checkpoint, LossCurve, Rerun, Run } from '../../src-shared/domain/run.ts';
import { listen, request } from '../client/index.ts';
import { texts } from '../texts/index.ts';
import { learnsToo } from './learnt.ts';
import { subjects } from './subjects.svelte.ts';
import { attempt, toasts } from './toasts.svelte.ts';

export interface RunDetail {
  readonly checkpoints: readonly Checkpoint[];
  readonly curve: LossCurve;
  /** Steps with a sample. */
  readonly samples: readonly number[];
  /** It makes another run again. */
  readonly rerun: Rerun | null;
}

/** All runs, and for opened ones the loss curve, checkpoints and samples, as they arrive. */
class Training {
  runs = $state.raw<readonly Run[]>([]);
  #details = $state.raw<Readonly<Record<number, RunDetail>>>({});
  presets = $state.raw<readonly Preset[]>([]);
  #presetsWanted = 0;

  constructor() {
    listen('training.changed', (run) => this.#put(run));
    listen('training.removed', ({ id }) => (this.runs = this.runs.filter((run) => run.id !== id)));
    listen('training.step', ({ runId, step, loss, seconds }) => {
      this.runs = this.runs.map((run) =>
        run.id === runId ? { ...run, step, loss, secondsPerStep: seconds } : run,
      );
      this.#extend(runId, ({ curve: { steps, losses } }) => ({
        curve: { steps: [...steps, step], losses: [...losses, loss] },
      }));
    });
    listen('training.checkpoint', (checkpoint) =>
      this.#extend(checkpoint.runId, ({ checkpoints }) => ({
        checkpoints: [...checkpoints.filter(({ step }) => step !== checkpoint.step), checkpoint].sort(
          (a, b) => a.step - b.step,
        ),
      })),
    );
    listen('training.sample', ({ runId, step }) =>
      this.#extend(runId, ({ samples }) => ({
        samples: [...new Set([...samples, step])].sort((a, b) => a - b),
      })),
    );
    listen('scores.changed', ({ runId }) => {
      if (this.#details[runId]) void this.open(runId);
    });
  }

  /** Runs that learn this subject, alone or with others. */
  ofSubject(subjectId: number | undefined): readonly Run[] {
    const subject = subjects.byId(subjectId);
    return this.runs.filter((run) => run.subjectId === subjectId || (subject && learnsToo(run, subject)));
  }

  byId(id: number | null | undefined): Run | undefined {
    return this.runs.find((run) => run.id === id);
  }

  detail(runId: number | undefined): RunDetail | undefined {
    return runId === undefined ? undefined : this.#details[runId];
  }

  async load(): Promise<void> {
    this.runs = (await attempt(() => request('training.runs', {}))) ?? this.runs;
  }

  /** `changes` apply to each preset's time and memory. */
  async loadPresets(input: Input<'training.presets'>): Promise<void> {
    const wanted = (this.#presetsWanted += 1);
    const presets = await attempt(() => request('training.presets', input));
    if (wanted === this.#presetsWanted) this.presets = presets ?? [];
  }

  /** Measures the presets on this machine; returns the job. */
  async measure(
    subjectId: number,
    modelId: number | null,
    changes: TrainingChanges = {},
  ): Promise<number | undefined> {
    return (await attempt(() => request('training.measure', { subjectId, modelId, changes })))?.jobId;
  }

  async loadAgain(): Promise<void> {
    const opened = Object.keys(this.#details).map(Number);
    await Promise.all(opened.filter((id) => this.byId(id)).map((id) => this.open(id)));
  }

  /** Loads what a run's page shows. */
  async open(id: number): Promise<void> {
    const found = await attempt(() => request('training.run', { id }));
    if (!found) return;
    const { run, ...detail } = found;
    this.#put(run);
    this.#details = { ...this.#details, [id]: detail };
  }

  async start(input: Input<'training.start'>): Promise<Run | undefined> {
    return this.#keep(await attempt(() => request('training.start', input)));
  }

  async resume(id: number, steps?: number): Promise<Run | undefined> {
    return this.#keep(await attempt(() => request('training.resume', { id, ...(steps && { steps }) })));
  }

  /** Makes a run again from its capsule; returns the new one. */
  async rerun(id: number): Promise<Run | undefined> {
    return this.#keep(await attempt(() => request('training.rerun', { id })));
  }

  async rename(id: number, name: string): Promise<void> {
    this.#keep(await attempt(() => request('training.rename', { id, name })));
  }

  async pick(id: number, step: number | null): Promise<void> {
    this.#keep(await attempt(() => request('training.pick', { id, step })));
  }

  async remove(run: Run): Promise<void> {
    const removed = await attempt(() => request('training.remove', { id: run.id }));
    if (!removed) return;
    this.runs = this.runs.filter(({ id }) => id !== run.id);
    toasts.undoable(texts.common.removed(run.name), removed.undo);
  }

  #keep(run: Run | undefined): Run | undefined {
    if (run) this.#put(run);
    return run;
  }

  #put(run: Run): void {
    const known = this.runs.some(({ id }) => id === run.id);
    this.runs = known ? this.runs.map((other) => (other.id === run.id ? run : other)) : [run, ...this.runs];
  }

  #extend(runId: number, change: (detail: RunDetail) => Partial<RunDetail>): void {
    const detail = this.#details[runId];
    if (detail) this.#details = { ...this.#details, [runId]: { ...detail, ...change(detail) } };
  }
}

export const training = new Training();
