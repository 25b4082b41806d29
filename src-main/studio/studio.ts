import { setTimeout as wait } from 'node:timers/promises';
import type { EventName, Payload } from '../../src-shared/contract/index.ts';
import type { AllHandlers } from '../ipc/answer.ts';
import { adviseJob, compressionHandlers, compressJob, distillJob } from './compressionHandlers.ts';
import { exportHandlers, exportJob } from './exportHandlers.ts';
import { findPictures } from './scan/findPictures.ts';
import { galleryHandlers } from './galleryHandlers.ts';
import { generateJob } from './generation/generateJob.ts';
import { generationHandlers } from './generation/generationHandlers.ts';
import { readPicture } from './scan/readPicture.ts';
import { libraryHandlers } from './library/libraryHandlers.ts';
import { removeLeftovers } from './scan/removeLeftovers.ts';
import { watchLibrary } from './library/watchLibrary.ts';
import { downloadJob } from './models/downloadJob.ts';
import { importJob, modelHandlers } from './models/modelHandlers.ts';
import { putModel, putShippedModel, type Inspected } from './models/putModel.ts';
import { addPhotos } from './photos/addPhotos.ts';
import { findPhotos } from './scan/findPhotos.ts';
import { photoHandlers } from './photos/photoHandlers.ts';
import { FolderWatch } from './photos/watchFolders.ts';
import { projectHandlers } from './projectHandlers.ts';
import { jobHandlers } from './jobHandlers.ts';
import { scoreHandlers, scoreJob } from './scoreHandlers.ts';
import { settingsHandlers } from './settingsHandlers.ts';
import type { Found, Shell, Shipped, StudioContext } from './context.ts';
import { findSubjects } from './scan/findSubjects.ts';
import { subjectHandlers } from './subjects/subjectHandlers.ts';
import { SocketCounts } from './system/socketCounts.ts';
import { guardSockets } from '../socketLock.ts';
import { systemHandlers } from './system/systemHandlers.ts';
import { findRuns } from './scan/findRuns.ts';
import { measureJob } from './training/measureJob.ts';
import { trainJob } from './training/trainJob.ts';
import { trainingHandlers } from './training/trainingHandlers.ts';
import { emptyTrash, trashHandlers } from './trashHandlers.ts';
import { JobQueue } from '../jobs/queue.ts';
import type { StartWorker } from '../jobs/workerProcess.ts';
import { Library } from '../storage/library.ts';

export interface StudioOptions {
  /** The library's folder. */
  readonly folder: string;
  readonly shell: Shell;
  readonly shipped: Shipped;
  readonly startWorker: StartWorker;
}

/** A window that is opened now is done with its first requests after so many ms. */
const windowFirst = 1500;

type Listener = (event: EventName, payload: unknown) => void;

/** The studio without a window: a library, its queue, and an answer to every request of the contract. */
export interface Studio {
  readonly library: Library;
  readonly handlers: AllHandlers;
  /** Every event of the contract; returns what ends it. */
  readonly listen: (heard: Listener) => () => void;
  readonly close: () => Promise<void>;
}

/** Opens the library and takes up what an earlier process left. Errors: those of `Library.open`. */
export async function openStudio({ folder, shell, shipped, startWorker }: StudioOptions): Promise<Studio> {
  const library = Library.open(folder);
  const listeners = new Set<Listener>();
  const emit = <N extends EventName>(event: N, payload: Payload<N>): void => {
    for (const heard of listeners) heard(event, payload);
  };
  const surroundings = { library, shell, shipped, emit };
  const isOnline = (): boolean => !library.settings.get().offline;
  const tellSockets = (): void => emit('system.offline', { locked: !isOnline(), ...sockets.get() });
  const sockets = new SocketCounts(tellSockets);
  guardSockets({ allows: isOnline, tried: (host, refused) => sockets.add(host, refused) });
  const putMade = (found: unknown, name: string): void => {
    putModel(surroundings, found as Inspected, name, 'made');
  };
  const queue: JobQueue = new JobQueue(
    library.jobs,
    startWorker,
    {
      train: trainJob(surroundings),
      measure: measureJob(surroundings, (job) => queue.add(job)),
      generate: generateJob(surroundings),
      score: scoreJob(surroundings),
      export: exportJob(surroundings),
      import: importJob(surroundings),
      download: downloadJob(surroundings),
      advise: adviseJob(surroundings),
      compress: compressJob(surroundings, putMade),
      distill: distillJob(surroundings, putMade),
    },
    {
      changed: (job) => emit('jobs.changed', job),
      progress: (id, progress) => emit('jobs.progress', { id, progress }),
      removed: (ids) => emit('jobs.removed', { ids: [...ids] }),
      socket: (host, refused) => sockets.add(host, refused),
    },
    () => library.obstacle(),
  );
  const context: StudioContext = { ...surroundings, queue };
  const watch = new FolderWatch(() => context);
  /** Subjects before what is in them, and runs before pictures that were made with them. */
  const findAllButPictures = async (): Promise<Found[]> => [
    await findSubjects(context),
    await findPhotos(context),
    await findRuns(context),
  ];
  const closing = new AbortController();
  const hurry = new AbortController();
  const findAllPictures = (): Promise<Found> => findPictures(context, readPicture, closing.signal);
  let looking: Promise<unknown> = Promise.resolve();
  const afterTheLast = <T>(look: () => Promise<T>): Promise<T> => {
    const found = looking.then(look);
    looking = found.catch(() => undefined);
    return found;
  };
  const rescan = (): Promise<Found> => {
    hurry.abort();
    return afterTheLast(async () => {
      const found = [...(await findAllButPictures()), await findAllPictures()];
      const sum = (of: keyof Found): number => found.reduce((total, part) => total + part[of], 0);
      return { added: sum('added'), moved: sum('moved'), missing: sum('missing') };
    });
  };

  try {
    putShippedModel(context);
    await emptyTrash(context);
    await findAllButPictures();
  } catch (error) {
    library.close();
    throw error;
  }
  // Jobs that go on must know which pictures they had made; otherwise the window comes first. What stands in the library's way is told by
  // `watchLibrary`.
  const goesOn = (['running', 'queued'] as const).some((state) => library.jobs.inState(state).length > 0);
  const look = afterTheLast(async () => {
    if (!goesOn) await wait(windowFirst, undefined, { signal: hurry.signal }).catch(() => undefined);
    await findAllPictures();
    await removeLeftovers(folder, closing.signal);
  }).catch(() => undefined);
  if (goesOn) await look;
  queue.open();
  watch.open();
  const stopLooking = watchLibrary(context);

  return {
    library,
    handlers: {
      ...libraryHandlers(context, rescan),
      ...projectHandlers(context),
      ...subjectHandlers(context, (id, paths) => addPhotos(context, id, paths)),
      ...photoHandlers(context, watch),
      ...trainingHandlers(context),
      ...generationHandlers(context),
      ...galleryHandlers(context),
      ...scoreHandlers(context),
      ...modelHandlers(context),
      ...compressionHandlers(context),
      ...exportHandlers(context),
      ...jobHandlers(context),
      ...settingsHandlers(context, () => {
        const { offline, downloads } = library.settings.get();
        if (offline || !downloads) queue.pauseAll('download');
        tellSockets();
      }),
      ...systemHandlers(context, sockets),
      ...trashHandlers(context),
    },
    listen: (heard) => {
      listeners.add(heard);
      return () => listeners.delete(heard);
    },
    close: async () => {
      stopLooking();
      closing.abort();
      hurry.abort();
      await looking;
      await watch.close();
      await queue.close();
      guardSockets({ allows: () => true, tried: () => undefined });
      library.close();
    },
  };
}
