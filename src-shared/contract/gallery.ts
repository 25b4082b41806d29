import * as z from 'zod';
import { idSchema } from '../domain/id.ts';
import { imageDetailSchema, imageFilterSchema, imageOrders, imageSchema } from '../domain/image.ts';
import { recipeSchema } from '../domain/recipe.ts';
import { endpoint } from './endpoint.ts';
import { fileDataSchema } from './photos.ts';
import { undoSchema } from './trash.ts';

const order = z.enum(imageOrders).default('newest');

/** The end of a page, as an opaque text. */
const cursorSchema = z.string().max(200);

export const galleryRequests = {
  /** A page of pictures, by keyset pagination: the last page is as fast as the first. `next` is null at the end. */
  'gallery.page': endpoint(
    z.object({
      filter: imageFilterSchema.default({}),
      order,
      after: cursorSchema.optional(),
      limit: z.int().min(1).max(500).default(100),
    }),
    z.object({ images: z.array(imageSchema), next: cursorSchema.nullable() }),
  ),
  /** The ids of all matches, in order, for a virtual list; `gallery.get` fetches those in view. */
  'gallery.ids': endpoint(z.object({ filter: imageFilterSchema.default({}), order }), z.array(z.int())),
  /** In the order asked for; those that are gone are left out. */
  'gallery.get': endpoint(z.object({ ids: z.array(idSchema).max(500) }), z.array(imageSchema)),
  'gallery.detail': endpoint(z.object({ id: idSchema }), imageDetailSchema),
  'gallery.favourite': endpoint(
    z.object({ ids: z.array(idSchema).min(1).max(10_000), favourite: z.boolean() }),
    z.object({}),
  ),
  'gallery.remove': endpoint(z.object({ ids: z.array(idSchema).min(1).max(10_000) }), undoSchema),
  /** The recipe in any PNG made by Likeness: a file on this machine, or its bytes. `imageId` if the library has it. */
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
