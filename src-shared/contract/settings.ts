import * as z from 'zod';
import { settingsSchema } from '../domain/studioSettings.ts';
import { endpoint } from './endpoint.ts';

/** Without the defaults: what is left out stays as it is. */
const changesSchema = z.object({
  theme: settingsSchema.shape.theme.unwrap().optional(),
  offline: settingsSchema.shape.offline.unwrap().optional(),
  downloads: settingsSchema.shape.downloads.unwrap().optional(),
  modelId: settingsSchema.shape.modelId.unwrap().optional(),
  provider: settingsSchema.shape.provider.unwrap().optional(),
  tourDone: settingsSchema.shape.tourDone.unwrap().optional(),
  tileSize: settingsSchema.shape.tileSize.unwrap().optional(),
  clipFolder: settingsSchema.shape.clipFolder.unwrap().optional(),
  dinoFolder: settingsSchema.shape.dinoFolder.unwrap().optional(),
});

export const settingsRequests = {
  'settings.get': endpoint(z.object({}), settingsSchema),
  'settings.update': endpoint(changesSchema, settingsSchema),
};

export const settingsEvents = {
  'settings.changed': settingsSchema,
};
