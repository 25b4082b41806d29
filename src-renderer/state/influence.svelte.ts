import type { Output } from '../../src-shared/contract/index.ts';
import { listen, request } from '../client/index.ts';
import { attempt } from './toasts.svelte.ts';

type Known = Output<'influence.get'>;

/** What each photo of the opened runs does, as far as it was measured, and what measuring takes. */
class Influence {
  #known = $state.raw<Readonly<Record<number, Known>>>({});

  constructor() {
    listen('influence.changed', ({ runId }) => {
      if (runId in this.#known) void this.load(runId);
    });
  }

  of(runId: number): Known | undefined {
    return this.#known[runId];
  }

  async load(runId: number): Promise<void> {
    const found = await attempt(() => request('influence.get', { runId }));
    if (found !== undefined) this.#known = { ...this.#known, [runId]: found };
  }

  async loadAgain(): Promise<void> {
    await Promise.all(Object.keys(this.#known).map((runId) => this.load(Number(runId))));
  }

  async start(runId: number): Promise<void> {
    await attempt(() => request('influence.start', { runId }));
  }
}

export const influence = new Influence();
