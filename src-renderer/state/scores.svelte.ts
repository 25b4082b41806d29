import type { PromptList, ScoreReport } from '../../src-shared/domain/score.ts';
import { listen, request } from '../client/index.ts';
import { attempt } from './toasts.svelte.ts';

/** The scores of each opened run; null: not measured yet. */
class Scores {
  #reports = $state.raw<Readonly<Record<number, ScoreReport | null>>>({});

  constructor() {
    listen('scores.changed', ({ runId }) => {
      if (runId in this.#reports) void this.load(runId);
    });
  }

  of(runId: number | undefined): ScoreReport | null | undefined {
    return runId === undefined ? undefined : this.#reports[runId];
  }

  async load(runId: number): Promise<void> {
    const report = await attempt(() => request('scores.get', { runId }));
    if (report !== undefined) this.#reports = { ...this.#reports, [runId]: report };
  }

  async loadAgain(): Promise<void> {
    await Promise.all(Object.keys(this.#reports).map((runId) => this.load(Number(runId))));
  }

  async start(runId: number, list: PromptList): Promise<void> {
    await attempt(() => request('scores.start', { runId, list }));
  }
}

export const scores = new Scores();
