import os from 'node:os';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { openModel } from '../../checkpoints/openModel.ts';
import { layoutOf, type GradientSource, type LossOptions } from '../loss/gradients.ts';
import { LocalWorkers, type LocalPlaces, type StartTeamWorker, type WorkerProvider } from './localWorkers.ts';
import type { SharedRun } from './sharedRun.ts';
import { Team } from './team.ts';
import { plural } from '../../../../src-shared/plural.ts';

export type { LocalPlaces, StartTeamWorker, WorkerProvider } from './localWorkers.ts';

/** Who works on a run besides the process that controls it. */
export interface TeamSettings {
  /** Worker processes on this machine. */
  readonly workers: number;
  /** What each of them computes with, in turn; the run's own provider where none are given. */
  readonly workerProviders?: readonly WorkerProvider[] | undefined;
  /** "host:port" where workers of other machines may join; only those of this machine when left out. */
  readonly listen?: string | undefined;
  readonly start: StartTeamWorker;
}

/**
 * Gradients of `loss` from a team: starts this machine's workers and waits for nobody; whoever joins gets work. Errors: `team.listen`; a
 * step's: `team.hopeless`, or what a worker of this machine says is wrong with the run.
 */
export async function gatherTeam(
  loss: LossOptions,
  run: SharedRun,
  places: LocalPlaces,
  { workers, workerProviders = [], listen: asked, start }: TeamSettings,
  { report, signal }: JobContext,
): Promise<GradientSource & { readonly pids: () => number[] }> {
  const note = (message: string): void => report({ type: 'note', message });
  const listen = asked ?? '127.0.0.1:0';
  const { team, port } = await Team.open({
    layout: layoutOf(loss),
    ...{ run, signal, report: note, listen },
    modelOf: (hash) => {
      if (hash === run.modelHash) return openModel(places.model);
      const isTeacher = run.kind === 'distill' && hash === run.teacherHash && places.teacher !== undefined;
      return isTeacher ? openModel(places.teacher) : undefined;
    },
    onUnfit: (error) => report({ type: 'warning', message: error.message }),
    onLost: (id) => local.end(Number.parseInt(id)),
  });
  const { token } = team;
  const host = listen.slice(0, listen.lastIndexOf(':'));
  if (asked !== undefined) {
    const reached = everywhere.includes(host) ? os.hostname() : host;
    note(`Workers of other machines join with: likeness join ${reached}:${port} --token ${token}`);
  }
  const threads = Math.max(1, Math.floor(os.availableParallelism() / Math.max(1, workers)));
  const local = new LocalWorkers(
    (index) =>
      start({
        ...places,
        ...workerProviders[index % workerProviders.length],
        ...{ address: `${everywhere.includes(host) ? '127.0.0.1' : host}:${port}`, token, threads },
      }),
    workers,
    () => team.times.batches,
    (error) => team.giveUp(error),
  );
  return {
    layout: team.layout,
    compute: (batches, values, into) => team.compute(batches, values, into),
    pids: () => local.pids,
    dispose: async () => {
      local.stop();
      const { waited, computed, batches, lost } = team.times;
      if (batches > 0) note(shareText({ waited, computed, batches, lost }));
      await team.dispose();
    },
  };
}

/** Addresses that stand for all of a machine's. */
const everywhere = ['0.0.0.0', '[::]'];

function shareText({ waited, computed, batches, lost }: Team['times']): string {
  const each = (computed / batches).toFixed(2);
  return `Workers computed ${plural(batches, 'batch', 'batches')} (${each} s each, ${computed.toFixed(1)} s in all) in ${waited.toFixed(1)} s; ${lost} ${lost === 1 ? 'was' : 'were'} lost on the way.`;
}
