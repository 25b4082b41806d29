import { renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { orNothing } from '../../src-shared/orNothing.ts';
import type { JobContext } from '../../src-shared/domain/jobEvents.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { makeFolder, orUnwritable } from '../engine/checkpoints/files.ts';
import { removeLeftovers } from '../engine/checkpoints/leftovers.ts';
import { hasHash } from '../engine/checkpoints/modelHash.ts';
import { openModel } from '../engine/checkpoints/openModel.ts';
import { workFor, type AskForModel } from '../engine/training/team/worker.ts';
import { openSharedRun, type WorkerPlaces } from '../engine/training/team/sharedRun.ts';
import { plural } from '../../src-shared/plural.ts';

export interface JoinRequest extends Omit<WorkerPlaces, 'fetch'> {
  /** "host:port" of the run. */
  readonly address: string;
  readonly token: string;
  /** Where models are kept that the run sends because this machine lacks them; without it, they are missing. */
  readonly keep?: string;
}

/** Works for a run on this machine or another until it ends. Errors: those of `workFor`. */
export async function join(
  { address, token, keep, ...places }: JoinRequest,
  context: JobContext,
): Promise<{ batches: number }> {
  const { report, signal } = context;
  const batches = await workFor({
    ...{ address, token, signal, name: `${os.hostname()} (process ${process.pid})` },
    open: (run, ask) =>
      openSharedRun(run, {
        ...places,
        ...(keep !== undefined && { fetch: (hash) => fetchModel(hash, keep, ask, context) }),
      }),
    onBatch: (done) => report({ type: 'note', message: plural(done, 'batch', 'batches') }),
  });
  return { batches };
}

/** The run's model as a folder in `keep`, which has its name when it is complete. */
async function fetchModel(
  hash: string,
  keep: string,
  ask: AskForModel,
  { report }: JobContext,
): Promise<string> {
  const place = path.join(keep, `run-${hash}`);
  const half = path.join(keep, `.run-${hash}.${process.pid}.tmp`);
  makeFolder(keep);
  removeLeftovers(keep);
  report({ type: 'note', message: 'The model of this run is not on this machine; the run sends it.' });
  try {
    await ask(hash, half, (done, total) => report({ type: 'progress', done, total, label: 'bytes' }));
    if (!isModel(half, hash))
      throw problem('team.badRun', { why: 'the model it sent is not the one it trains' });
    rmSync(place, { recursive: true, force: true });
    orUnwritable(place, () => renameSync(half, place));
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
  return place;
}

function isModel(folder: string, hash: string): boolean {
  // What was sent may be no model at all.
  return orNothing(() => hasHash(openModel(folder), hash)) ?? false;
}
