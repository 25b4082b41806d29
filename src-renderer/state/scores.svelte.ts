import type { PromptList, ScoreReport } from '../../src-shared/domain/score.ts';
import { listen, request } from '../client/index.ts';
import { ByRun } from './byRun.svelte.ts';
import { attempt } from './toasts.svelte.ts';

/** The scores of a run; null: not measured yet. */
class Scores extends ByRun<ScoreReport | null> {
  constructor() {
    super((runId) => attempt(() => request('scores.get', { runId })));
    listen('scores.changed', (run) => void this.changed(run));
  }

  async start(runId: number, list: PromptList): Promise<void> {
    await attempt(() => request('scores.start', { runId, list }));
  }
}

export const scores = new Scores();
