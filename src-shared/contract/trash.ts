import * as z from 'zod';
import { timeSchema } from '../domain/id.ts';
import { endpoint } from './endpoint.ts';

/** The result of removing something: a token that restores it, until it goes to the system's trash. */
export const undoSchema = z.object({ undo: z.string() });

export const trashRequests = {
  'trash.undo': endpoint(z.object({ undo: z.string().min(1).max(100) }), z.object({ restored: z.int() })),
  /** What can be restored: one entry for each removal, described by its largest part. */
  'trash.list': endpoint(
    z.object({}),
    z.object({
      removals: z.array(
        z.object({
          undo: z.string(),
          kind: z.enum([
            'projects',
            'subjects',
            'runs',
            'models',
            'loras',
            'exports',
            'evaluations',
            'photos',
            'images',
          ]),
          name: z.string(),
          count: z.int(),
          removedAt: timeSchema.nullable(),
        }),
      ),
      /** Number of things in all removals. */
      items: z.int(),
    }),
  ),
  /** Moves everything removed to the system's trash. */
  'trash.empty': endpoint(z.object({}), z.object({ items: z.int() })),
};
