import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Model } from '../../../src-shared/domain/model.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { openModel, modelHash } from '../../engine/checkpoints/openModel.ts';
import { ownGuidance } from '../../engine/checkpoints/ownGuidance.ts';
import type { JobHandling } from '../../jobs/kind.ts';
import type { StoredModel } from '../../storage/models.ts';
import type { Handlers, StudioContext } from '../studioContext.ts';
import { catalogue } from './catalogue.ts';

type Context = Omit<StudioContext, 'queue'>;

export function modelHandlers(context: StudioContext): Handlers<'models'> {
  const { library, queue, emit } = context;
  const { models, trash, settings } = library;
  return {
    'models.list': () => listModels(context),
    'models.import': ({ path: given, name }) => {
      const full = path.resolve(given);
      if (!existsSync(full)) throw problem('file.missing', { file: full });
      const title = `Importing ${name ?? path.basename(full)}`;
      return { jobId: queue.add({ kind: 'import', title, input: { path: full, name } }).id };
    },
    'models.rename': ({ id, name }) => {
      const model = withState(models.rename(id, name));
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
    'models.catalogue': () =>
      catalogue.map((entry) => ({
        ...entry,
        installed: models
          .list()
          .some(({ path: place }) => place.endsWith(entry.repository.replace('/', '--'))),
      })),
    'models.download': ({ repository }) => {
      const { offline, downloads } = settings.get();
      if (offline || !downloads) throw problem('download.off', {});
      throw problem('download.notYet', { repository });
    },
  };
}

export function listModels({ library: { models } }: Pick<StudioContext, 'library'>): Model[] {
  return models.list().map(withState);
}

function withState(model: StoredModel): Model {
  return { ...model, available: existsSync(model.path), guidance: ownGuidance(model.path) };
}

/** What `inspect` says of a model, as far as it is kept. */
interface Inspected {
  readonly kind: string;
  readonly path: string;
  readonly family: string;
  readonly hash: string;
  readonly parameters: { readonly total: number };
  readonly size: { readonly width: number; readonly height: number };
  readonly problems: readonly string[];
}

/** Checks and hashes a model, and links it: its files stay where they are. */
export function importJob(context: Context): JobHandling {
  const { library, emit } = context;
  return {
    task: ({ input }) => ({ path: (input as { path: string }).path }),
    done: ({ input }, result) => {
      const { path: place, name } = input as { path: string; name?: string };
      const found = result as Inspected;
      if (found.kind !== 'diffusers' && found.kind !== 'single-file')
        throw problem('model.notOne', { file: place });
      library.models.put({
        name: name ?? path.parse(place).name,
        source: library.folder.holds(place) ? 'downloaded' : 'linked',
        path: place,
        kind: found.kind === 'diffusers' ? 'folder' : 'single-file',
        family: found.family,
        hash: found.hash,
        parameters: found.parameters.total,
        bytes: sizeOf(place),
        ...found.size,
        problems: [...found.problems],
      });
      emit('models.changed', listModels(context));
    },
  };
}

/** Puts the model that comes with Likeness on the list. Small: its lists of tensors are read here, no weights. */
export function putShippedModel({ library, shipped }: Pick<StudioContext, 'library' | 'shipped'>): void {
  if (!existsSync(path.join(shipped.model, 'model_index.json'))) return;
  const model = openModel(shipped.model);
  const [height, width] = model.unet.config.sample_size;
  const factor = 2 ** (model.vae.config.block_out_channels.length - 1);
  const parameters = [model.unet, model.vae, model.textEncoder].flatMap(({ weights }) =>
    weights.names().map((name) => weights.get(name)?.shape.reduce((product, side) => product * side, 1) ?? 0),
  );
  library.models.put({
    name: 'Likeness mini',
    source: 'shipped',
    path: shipped.model,
    kind: 'folder',
    family: 'Likeness',
    hash: modelHash(model),
    parameters: parameters.reduce((sum, count) => sum + count, 0),
    bytes: sizeOf(shipped.model),
    width: width * factor,
    height: height * factor,
    problems: [],
  });
}

function sizeOf(place: string): number {
  const stats = statSync(place);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(place).reduce((sum, name) => sum + sizeOf(path.join(place, name)), 0);
}
