import { z } from 'zod';
import { idSchema } from '../domain/id.ts';
import { problemSchema } from '../domain/problem.ts';
import { endpoint } from './endpoint.ts';

const nothing = z.object({});

const libraryStateSchema = z.object({
  /** The library's folder. */
  folder: z.string(),
  name: z.string(),
  subjects: z.int(),
  images: z.int(),
  runs: z.int(),
  /** Bytes free on its disk; null where it can't be told. */
  free: z.number().nullable(),
  /** What stands in the way just now: read-only, moved away, another process, rebuilt after damage. */
  notices: z.array(problemSchema),
});

export const libraryRequests = {
  'library.get': endpoint(nothing, libraryStateSchema),
  /** Looks through the folder: pictures, photos and runs that came or went. Resolves when it is done. */
  'library.rescan': endpoint(nothing, z.object({ added: z.int(), moved: z.int(), missing: z.int() })),
  /** Shows the library, or a thing in it, in the system's file manager; in the browser: refused. */
  'library.reveal': endpoint(
    z.object({
      what: z.enum(['library', 'subject', 'run', 'image', 'export', 'model']),
      id: idSchema.optional(),
    }),
    nothing,
  ),
};

export const libraryEvents = {
  'library.changed': libraryStateSchema,
};
