import type { Output } from '../../src-shared/contract/index.ts';
import { listen, request } from '../client/index.ts';
import { ByRun } from './byRun.svelte.ts';
import { attempt } from './toasts.svelte.ts';

/** What each photo of a run does, as far as it was measured, and what measuring takes. */
class Influence extends ByRun<Output<'influence.get'>> {
  constructor() {
    super((runId) => attempt(() => request('influence.get', { runId })));
    listen('influence.changed', (run) => void this.changed(run));
  }

  async start(runId: number): Promise<void> {
    await attempt(() => request('influence.start', { runId }));
  }
}

export const influence = new Influence();
