import type { FromWorker, ResultOf, Start } from '../../../src-main/features/tasks.ts';
import type { StartWorker } from '../../../src-main/jobs/workerProcess.ts';
import type { JobKind } from '../../../src-shared/domain/job.ts';

/** A worker that keeps what it is told to start, and ends a job with the result that a test gives it. */
export function standInWorker(): {
  readonly worker: StartWorker;
  readonly started: Start<JobKind>[];
  readonly finish: (result: ResultOf<JobKind>) => void;
} {
  const started: Start<JobKind>[] = [];
  let finish: (result: ResultOf<JobKind>) => void = () => undefined;
  const worker: StartWorker = () => {
    let heard: (message: FromWorker) => void = () => undefined;
    let ended: (why: string) => void = () => undefined;
    finish = (result) => {
      heard({ type: 'done', result });
      ended('exit status 0');
    };
    return {
      send: (message) => {
        if (message.type === 'start') started.push(message);
      },
      onMessage: (listener) => (heard = listener),
      onExit: (listener) => (ended = listener),
      kill: () => undefined,
    };
  };
  return { worker, started, finish: (result) => finish(result) };
}
