import * as z from 'zod';
import { idSchema, nameSchema } from '../domain/id.ts';
import { loraFileSchema } from '../domain/loraFile.ts';
import { endpoint } from './endpoint.ts';
import { undoSchema } from './trash.ts';

const one = z.object({ id: idSchema });

/** LoRA files and embeddings; `models.import` puts them on the list. */
export const loraRequests = {
  'loras.list': endpoint(z.object({}), z.array(loraFileSchema)),
  'loras.rename': endpoint(one.extend({ name: nameSchema }), loraFileSchema),
  /** Takes it off the list; its file stays. */
  'loras.remove': endpoint(one, undoSchema),
};

export const loraEvents = {
  'loras.changed': z.array(loraFileSchema),
};
