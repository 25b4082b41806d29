import type { EventName, Payload } from '../../src-shared/contract/index.ts';
import type { AllHandlers } from '../ipc/answer.ts';
import { adviseJob, compressionHandlers, compressJob, distillJob } from './compressionHandlers.ts';
import { evaluateJob, evaluationHandlers } from './evaluationHandlers.ts';
import { exportHandlers, exportJob } from './exportHandlers.ts';
import { galleryHandlers } from './galleryHandlers.ts';
import { generateJob } from './generation/generateJob.ts';
import { generationHandlers } from './generation/generationHandlers.ts';
import { influenceHandlers, influenceJob } from './influenceHandlers.ts';
import { libraryHandlers } from './library/libraryHandlers.ts';
import { LibraryScan } from './scan/libraryScan.ts';
import { watchLibrary } from './library/watchLibrary.ts';
import { loraHandlers } from './loraHandlers.ts';
import { downloadJob } from './models/downloadJob.ts';
import { importJob, modelHandlers } from './models/modelHandlers.ts';
import { putShippedModel } from './models/putModel.ts';
import { originalHandlers } from './originals/originalHandlers.ts';
import { photoHandlers } from './photos/photoHandlers.ts';
import { FolderWatch } from './photos/watchFolders.ts';
import { projectHandlers } from './projectHandlers.ts';
import { jobHandlers } from './jobHandlers.ts';
import { scoreHandlers, scoreJob } from './scoreHandlers.ts';
import { settingsHandlers } from './settingsHandlers.ts';
import type { Shell, Shipped, StudioContext } from './context.ts';
import { subjectHandlers } from './subjects/subjectHandlers.ts';
import { SocketCounts } from './system/socketCounts.ts';
import { guardSockets } from '../socketLock.ts';
import { systemHandlers } from './system/systemHandlers.ts';
import { measureJob } from './training/measureJob.ts';
import { trainJob } from './training/trainJob.ts';
import { trainingHandlers } from './training/trainingHandlers.ts';
import { trashHandlers } from './trashHandlers.ts';
import { JobQueue } from '../jobs/queue.ts';
import type { StartWorker } from '../jobs/workerProcess.ts';
import { keepHashesIn } from '../engine/checkpoints/contentHash.ts';
import { cacheFolder } from '../places.ts';
import { Library } from '../storage/library.ts';

export interface StudioOptions {
  /** The library's folder. */
  readonly folder: string;
  readonly shell: Shell;
  readonly shipped: Shipped;
  readonly startWorker: StartWorker;
}

type Listener = (event: EventName, payload: unknown) => void;

/** The studio without a window: a library, its queue, and a handler for every request of the contract. */
export interface Studio {
  readonly library: Library;
  readonly handlers: AllHandlers;
  /** Hears every event of the contract. Returns a function that ends this. */
  readonly listen: (heard: Listener) => () => void;
  readonly close: () => Promise<void>;
}

/** Opens the library and continues what an earlier process left. Errors: those of `Library.open`. */
export async function openStudio({ folder, shell, shipped, startWorker }: StudioOptions): Promise<Studio> {
  keepHashesIn(cacheFolder());
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
  const queue: JobQueue = new JobQueue(
    library.jobs,
    startWorker,
    {
      train: trainJob(surroundings),
      measure: measureJob(surroundings, (job) => queue.add(job)),
      generate: generateJob(surroundings),
      score: scoreJob(surroundings),
      influence: influenceJob(surroundings),
      evaluate: evaluateJob(surroundings),
      export: exportJob(surroundings),
      import: importJob(surroundings),
      download: downloadJob(surroundings),
      advise: adviseJob(surroundings),
      compress: compressJob(surroundings),
      distill: distillJob(surroundings),
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
  const scan = new LibraryScan(context);

  try {
    putShippedModel(context);
    await scan.allButPictures();
  } catch (error) {
    library.close();
    throw error;
  }
  // Jobs that resume must know which pictures they have made; otherwise the window comes first.
  const goesOn = (['running', 'queued'] as const).some((state) => library.jobs.inState(state).length > 0);
  const look = scan.later({ atOnce: goesOn });
  if (goesOn) await look;
  queue.open();
  watch.open();
  const stopLooking = watchLibrary(context);

  return {
    library,
    handlers: {
      ...libraryHandlers(context, scan),
      ...projectHandlers(context),
      ...subjectHandlers(context),
      ...photoHandlers(context, watch),
      ...originalHandlers(context),
      ...trainingHandlers(context),
      ...generationHandlers(context),
      ...galleryHandlers(context),
      ...scoreHandlers(context),
      ...influenceHandlers(context),
      ...evaluationHandlers(context),
      ...modelHandlers(context),
      ...loraHandlers(context),
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
      await scan.close();
      await watch.close();
      await queue.close();
      guardSockets({ allows: () => true, tried: () => undefined });
      library.close();
    },
  };
}
