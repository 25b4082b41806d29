import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { trainingSettings, type AskedFinetune } from '../../../src-shared/domain/finetuneSettings.ts';
import { data } from '../../../src-shared/domain/settingSchema.ts';
import { askedType, faultOf } from '../../../src-shared/domain/settingValues.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { isFolder, readJson } from '../../engine/checkpoints/files.ts';
import { placesFolder } from '../../engine/checkpoints/model.ts';

const schema = z.object({
  finetune: askedType({
    ...trainingSettings,
    /** Places that the model can recognise in photos. */
    scenes: data(z.array(z.string().min(1)), 'places that photos are told by'),
  }).optional(),
  /** What another method than `finetune`'s takes in place of that. */
  finetuneBy: z.partialRecord(trainingSettings.method.type, askedType(trainingSettings)).optional(),
  /** Places that it draws so that they can be told apart; all that it recognises when left out. */
  places: z.array(z.string().min(1)).optional(),
  /** What it can be taught, in words that it knows. */
  nouns: z.array(z.string().min(1)).optional(),
});

/**
 * The finetune settings that a model brings along in its `likeness.json`, for the method that was asked for; the shipped one does. Errors:
 * `config.invalid`.
 */
export function ownSettings(model: string, method?: AskedFinetune['method']): AskedFinetune {
  const { scenes, ...settings } = ownFinetune(model);
  const other =
    method === undefined || method === settings.method ? undefined : own(model).finetuneBy?.[method];
  const asked = other && method !== undefined ? { ...settings, ...other, method } : settings;
  // A copy of the model that was made without its places can be trained all the same.
  return isFolder(join(model, placesFolder)) ? asked : { ...asked, newPlaces: undefined };
}

/** The places that a model can recognise in photos, from the same file. */
export function ownScenes(model: string): readonly string[] {
  return ownFinetune(model).scenes ?? [];
}

/** The places to offer for its pictures, from the same file. */
export function ownPlaces(model: string): readonly string[] {
  return own(model).places ?? ownScenes(model);
}

/** Class nouns that a model knows, from the same file; none where it does not say. */
export function ownNouns(model: string): readonly string[] {
  return own(model).nouns ?? [];
}

function ownFinetune(model: string): NonNullable<z.output<typeof schema>['finetune']> {
  return own(model).finetune ?? {};
}

function own(model: string): z.output<typeof schema> {
  const file = join(model, 'likeness.json');
  if (!existsSync(file)) return {};
  const parsed = schema.safeParse(readJson(file));
  if (!parsed.success) throw problem('config.invalid', { file, why: faultOf(parsed.error) });
  return parsed.data;
}
