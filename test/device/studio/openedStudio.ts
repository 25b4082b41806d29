import { rm } from 'node:fs/promises';
import { shippedFiles } from '../../../src-main/shipped.ts';
import { answer } from '../../../src-main/ipc/answer.ts';
import type { StartWorker } from '../../../src-main/jobs/workerProcess.ts';
import { openStudio, type Studio } from '../../../src-main/studio/studio.ts';
import type { Input, Output, RequestName } from '../../../src-shared/contract/index.ts';

/** A studio without a window, in this process. */
export interface OpenedStudio extends Studio {
  readonly ask: <N extends RequestName>(name: N, input: Input<N>) => Promise<Output<N>>;
  /** Names of the events that were told, in order. */
  readonly told: string[];
}

const refuse = (): Promise<never> => Promise.reject(new Error('there is no window here'));

/** Workers of a studio that is not to compute. */
export const noWorkers: StartWorker = () => {
  throw new Error('there are no workers here');
};

export async function openedStudio(
  folder: string,
  startWorker: StartWorker = noWorkers,
): Promise<OpenedStudio> {
  const studio = await openStudio({
    folder,
    shipped: shippedFiles(),
    shell: {
      kind: 'browser',
      reveal: refuse,
      browse: refuse,
      trash: (file) => rm(file, { recursive: true, force: true }),
    },
    startWorker,
  });
  const told: string[] = [];
  studio.listen((event) => void told.push(event));
  return {
    ...studio,
    told,
    ask: async (name, input) => {
      const reply = await answer(studio.handlers, name, input);
      if (!reply.ok) throw new Error(`${name}: ${reply.error.code}: ${reply.error.message}`);
      return reply.output as Output<typeof name>;
    },
  };
}
