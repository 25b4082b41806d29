import { z } from 'zod';
import { idSchema } from '../domain/id.ts';
import { imageDetailSchema, imageFilterSchema, imageOrders, imageSchema } from '../domain/image.ts';
import { recipeSchema } from '../domain/recipe.ts';
import { endpoint } from './endpoint.ts';
import { fileDataSchema } from './photos.ts';
import { undoSchema } from './trash.ts';

const order = z.enum(imageOrders).default('newest');

/** Where a page ended: opaque. */
const cursorSchema = z.string().max(200);

export const galleryRequests = {
  /** A page of pictures, by keyset: as quick at the end as at the start. `next` null: that was all. */
  'gallery.page': endpoint(
    z.object({
      filter: imageFilterSchema.default({}),
      order,
      after: cursorSchema.optional(),
      limit: z.int().min(1).max(500).default(100),
    }),
    z.object({ images: z.array(imageSchema), next: cursorSchema.nullable() }),
  ),
  /** The ids of all that match, in order: what a virtual list scrolls through; `gallery.get` fills in what is seen. */
  'gallery.ids': endpoint(z.object({ filter: imageFilterSchema.default({}), order }), z.array(z.int())),
  /** In the order asked for; those that are gone are left out. */
  'gallery.get': endpoint(z.object({ ids: z.array(idSchema).max(500) }), z.array(imageSchema)),
  'gallery.detail': endpoint(z.object({ id: idSchema }), imageDetailSchema),
  'gallery.favourite': endpoint(
    z.object({ ids: z.array(idSchema).min(1).max(10_000), favourite: z.boolean() }),
    z.object({}),
  ),
  'gallery.remove': endpoint(z.object({ ids: z.array(idSchema).min(1).max(10_000) }), undoSchema),
  /** The recipe in any PNG that was made here: a file of this machine, or its bytes. `imageId` when the library has it. */
  'gallery.readRecipe': endpoint(
    z.object({ name: z.string().max(255), data: fileDataSchema }),
    z.object({ recipe: recipeSchema, imageId: idSchema.nullable() }),
  ),
};

export const galleryEvents = {
  'gallery.added': imageSchema,
  'gallery.changed': z.object({ ids: z.array(idSchema) }),
  'gallery.removed': z.object({ ids: z.array(idSchema) }),
};
