import * as z from 'zod';
import { idSchema } from '../domain/id.ts';
import { problemSchema } from '../messages/problem.ts';
import { endpoint } from './endpoint.ts';

const nothing = z.object({});

const libraryStateSchema = z.object({
  /** The library's folder. */
  folder: z.string(),
  name: z.string(),
  subjects: z.int(),
  images: z.int(),
  runs: z.int(),
  /** Free bytes on its disk; null if unknown. */
  free: z.number().nullable(),
  /** Trouble at the moment: read-only, moved away, low disk space, rebuilt after damage. */
  notices: z.array(problemSchema),
});

export const libraryRequests = {
  'library.get': endpoint(nothing, libraryStateSchema),
  /** Scans the folder for pictures, photos and runs that were added or removed. Resolves when it is done. */
  'library.rescan': endpoint(nothing, z.object({ added: z.int(), moved: z.int(), missing: z.int() })),
  /** Shows the library, or something in it, in the system's file manager; refused in the browser. */
  'library.reveal': endpoint(
    z.object({
      what: z.enum(['library', 'subject', 'run', 'image', 'export', 'evaluation', 'model']),
      id: idSchema.optional(),
    }),
    nothing,
  ),
};

export const libraryEvents = {
  'library.changed': libraryStateSchema,
};
