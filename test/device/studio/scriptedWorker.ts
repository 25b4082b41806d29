import path from 'node:path';
import sharp from 'sharp';
import type { StartWorker } from '../../../src-main/jobs/workerProcess.ts';
import type { FromWorker, ResultOf, Start } from '../../../src-main/features/tasks.ts';
import { inStudio } from '../../../src-shared/messages/inStudio.ts';
import { LikenessError } from '../../../src-shared/messages/index.ts';
import type { JobKind } from '../../../src-shared/domain/job.ts';
import type { WorkerEvent } from '../../../src-shared/domain/workerMessages.ts';

/**
 * Workers inside this process: for each job `work` says what it likes and returns the result; where it throws a sentence, the
 * worker says it, and otherwise it ends as the system ends one.
 */
export function scriptedWorker(
  work: (say: (event: WorkerEvent) => void, start: Start<JobKind>) => Promise<ResultOf<JobKind>>,
): StartWorker {
  return () => {
    let heard: (message: FromWorker) => void = () => undefined;
    let ended: (why: string) => void = () => undefined;
    const run = async (start: Start<JobKind>): Promise<void> => {
      try {
        const result = await work((event) => heard({ type: 'event', event }), start);
        heard({ type: 'done', result });
        ended('exit status 0');
      } catch (error) {
        if (error instanceof LikenessError) heard({ type: 'failed', problem: inStudio(error) });
        ended('SIGKILL');
      }
    };
    return {
      send: (message) => {
        if (message.type === 'start') setImmediate(() => void run(message));
      },
      onMessage: (listener) => (heard = listener),
      onExit: (listener) => (ended = listener),
      kill: () => undefined,
    };
  };
}

/** Writes a square of one colour. */
export async function drawSquare(file: string, r: number, g = r, b = r): Promise<void> {
  const square = sharp({ create: { width: 8, height: 8, channels: 3, background: { r, g, b } } });
  await square.png().toFile(path.resolve(file));
}
