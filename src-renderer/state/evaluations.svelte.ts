import type { Input } from '../../src-shared/contract/index.ts';
import type { EvaluationReport } from '../../src-shared/domain/evaluation.ts';
import { listen, request } from '../client/index.ts';
import { texts } from '../texts/index.ts';
import { attempt, toasts } from './toasts.svelte.ts';

/** Figures of pictures from anywhere, and of models by DreamBooth's protocol. */
class Evaluations {
  /** Newest first; undefined until they are loaded. */
  list = $state.raw<readonly EvaluationReport[]>();

  constructor() {
    listen('evaluations.changed', (report) => {
      const others = this.list?.filter(({ id }) => id !== report.id);
      if (others) this.list = [report, ...others].sort((a, b) => b.id - a.id);
    });
  }

  async load(): Promise<void> {
    this.list = await attempt(() => request('evaluations.list', {}));
  }

  async loadAgain(): Promise<void> {
    if (this.list) await this.load();
  }

  async start(asked: Input<'evaluations.start'>): Promise<void> {
    await attempt(() => request('evaluations.start', asked));
  }

  async remove({ id, name }: EvaluationReport): Promise<void> {
    const removed = await attempt(() => request('evaluations.remove', { id }));
    if (!removed) return;
    this.list = this.list?.filter((other) => other.id !== id);
    toasts.undoable(texts.common.removed(name), removed.undo);
  }
}

export const evaluations = new Evaluations();
