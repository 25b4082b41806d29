import { existsSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { catalogue } from '../../../src-shared/domain/catalogue.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { withInput, type JobHandling } from '../../jobs/kind.ts';
import { givenPath } from '../../places.ts';
import type { Handlers, StudioContext, Surroundings } from '../context.ts';
import { downloadPlace, type DownloadInput } from './downloadJob.ts';
import { trainingRoom } from '../training/room.ts';
import { putLora } from '../loraHandlers.ts';
import { outlook, paceOf } from './outlook.ts';
import { listModels, putModel, withState } from './putModel.ts';

export function modelHandlers(context: StudioContext): Handlers<'models'> {
  const { library, queue, emit } = context;
  const { models, trash, settings, folder } = library;
  return {
    'models.list': () => listModels(context),
    'models.import': ({ path: given, name }) => {
      const full = givenPath(given);
      if (!existsSync(full)) throw problem('file.missing', { file: full });
      const title = `Importing ${name ?? path.basename(full)}`;
      return { jobId: queue.add({ kind: 'import', title, input: { path: full, name } }).id };
    },
    'models.rename': ({ id, name }) => {
      const model = withState(models, models.rename(id, name));
      emit('models.changed', listModels(context));
      return model;
    },
    'models.remove': ({ id }) => {
      if (models.get(id).source === 'shipped') throw problem('model.shippedStays', {});
      const undo = trash.remove('models', [id]);
      if (settings.get().modelId === id) emit('settings.changed', settings.update({ modelId: null }));
      emit('models.changed', listModels(context));
      return { undo };
    },
    'models.catalogue': async () => {
      const pace = paceOf(library);
      const room = await trainingRoom(settings.get().provider);
      return catalogue.map((entry) => ({
        ...entry,
        ...outlook(entry, pace, room),
        installed: models.byPath(folder.at(downloadPlace(entry.repository))) !== undefined,
      }));
    },
    'models.download': ({ repository, revision, confirmed, login }) => {
      const { offline, downloads } = settings.get();
      if (!confirmed && (offline || !downloads)) throw problem('download.off', {});
      const input: DownloadInput = { repository, revision, confirmed, login };
      return { jobId: queue.add({ kind: 'download', title: `Downloading ${repository}`, input }).id };
    },
  };
}

const importInput = z.object({ path: z.string(), name: z.string().optional() });

/** Checks and hashes a model, a LoRA or an embedding and links to it: its files stay where they are. */
export function importJob(context: Surroundings): JobHandling<'import'> {
  return withInput(importInput, {
    task: ({ input }) => ({ path: input.path }),
    done: ({ input }, found) => {
      const name = input.name ?? path.parse(input.path).name;
      if (found.kind === 'lora' || found.kind === 'embedding') putLora(context, found, name);
      else putModel(context, found, name);
    },
  });
}
