import { z } from 'zod';
import { timeSchema } from '../domain/id.ts';
import { endpoint } from './endpoint.ts';

/** What removing something gives: a token that brings it back, until it goes to the system's trash. */
export const undoSchema = z.object({ undo: z.string() });

export const trashRequests = {
  'trash.undo': endpoint(z.object({ undo: z.string().min(1).max(100) }), z.object({ restored: z.int() })),
  /** What was removed and can be brought back: one entry a removal, told by the largest thing it took. */
  'trash.list': endpoint(
    z.object({}),
    z.object({
      removals: z.array(
        z.object({
          undo: z.string(),
          kind: z.enum(['projects', 'subjects', 'runs', 'models', 'exports', 'photos', 'images']),
          name: z.string(),
          count: z.int(),
          removedAt: timeSchema.nullable(),
        }),
      ),
      /** How many things, all removals together. */
      items: z.int(),
    }),
  ),
  /** Hands everything that was removed to the system's trash. */
  'trash.empty': endpoint(z.object({}), z.object({ items: z.int() })),
};
