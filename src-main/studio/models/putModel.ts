import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Model } from '../../../src-shared/domain/model.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { modelHash } from '../../engine/checkpoints/modelHash.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { ownGuidance } from '../../engine/checkpoints/ownGuidance.ts';
import { ownPlaces } from '../../features/training/ownSettings.ts';
import type { Models, StoredModel } from '../../storage/models.ts';
import type { Report } from '../../features/inspect/inspect.ts';
import type { StudioContext } from '../context.ts';
import { sizeOf } from '../sizeOf.ts';

export function listModels({ library: { models } }: Pick<StudioContext, 'library'>): Model[] {
  return models.list().map((model) => withState(models, model));
}

export function withState(models: Pick<Models, 'sheet'>, model: StoredModel): Model {
  return {
    ...model,
    sheet: models.sheet(model.id) !== undefined,
    available: existsSync(model.path),
    guidance: ownGuidance(model.path),
    subjectGuidance: ownGuidance(model.path, 'subject'),
    places: [...ownPlaces(model.path)],
  };
}

/** Puts a checked model on the list. Errors: `model.notOne`. */
export function putModel(
  context: Pick<StudioContext, 'library' | 'emit'>,
  found: Report,
  name: string,
  own: 'downloaded' | 'made' = 'downloaded',
): StoredModel {
  const { library, emit } = context;
  const { path: place } = found;
  if (found.kind === 'lora' || found.kind === 'embedding' || found.kind === 'run')
    throw problem('model.notOne', { file: place });
  const model = library.models.put({
    name,
    source: library.folder.holds(place) ? own : 'linked',
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
  return model;
}

/** Puts the model that comes with Likeness on the list. It is small, so its lists of tensors are read here, without weights. */
export function putShippedModel({ library, shipped }: Pick<StudioContext, 'library' | 'shipped'>): void {
  if (!existsSync(path.join(shipped.model, 'model_index.json'))) return;
  const model = openModel(shipped.model);
  const [height, width] = model.unet.config.sample_size;
  const factor = 2 ** (model.vae.config.block_out_channels.length - 1);
  const { unet, vae, textEncoder, textEncoder2 } = model;
  const parts = [unet, vae, textEncoder, ...(textEncoder2 ? [textEncoder2] : [])];
  library.models.put({
    name: 'Likeness mini',
    source: 'shipped',
    path: shipped.model,
    kind: 'folder',
    family: 'Likeness',
    hash: modelHash(model),
    parameters: parts.reduce((sum, { weights }) => sum + weights.parameterCount, 0),
    bytes: sizeOf(shipped.model),
    width: width * factor,
    height: height * factor,
    problems: [],
  });
}
