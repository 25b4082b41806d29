import os from 'node:os';
import type { JobContext } from '../../src-shared/domain/jobEvents.ts';
import { workFor } from '../engine/training/team/worker.ts';
import { openSharedRun, type WorkerPlaces } from '../engine/training/team/sharedRun.ts';

export interface JoinRequest extends WorkerPlaces {
  /** "host:port" of the run. */
  readonly address: string;
  readonly token: string;
}

/** Works for a run on this machine or another until it ends. Errors: those of `workFor`. */
export async function join(
  { address, token, ...places }: JoinRequest,
  { report, signal }: JobContext,
): Promise<{ batches: number }> {
  const batches = await workFor({
    ...{ address, token, signal, name: `${os.hostname()} (process ${process.pid})` },
    open: (run) => openSharedRun(run, places),
    onBatch: (done) => report({ type: 'note', message: `${done} batches` }),
  });
  return { batches };
}
