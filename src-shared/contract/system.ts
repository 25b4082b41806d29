import * as z from 'zod';
import { pathSchema } from '../domain/id.ts';
import { endpoint } from './endpoint.ts';

const systemInfoSchema = z.object({
  version: z.string(),
  /** `app`: the Electron window; `browser`: served. */
  shell: z.enum(['app', 'browser']),
  platform: z.enum(['linux', 'darwin', 'win32', 'other']),
  cpu: z.string(),
  threads: z.int(),
  /** Bytes. */
  memory: z.object({ total: z.number(), available: z.number() }),
});

const offlineSchema = z.object({
  /** Every socket but the loopback is blocked. */
  locked: z.boolean(),
  /** Connections refused since the start, by host. */
  refused: z.array(z.object({ host: z.string(), times: z.int() })),
  /** Sockets to other machines that were opened since the start. */
  opened: z.int(),
});

export const systemRequests = {
  'system.info': endpoint(z.object({}), systemInfoSchema),
  'system.offline': endpoint(z.object({}), offlineSchema),
  /** Opens the system's dialog; refused in the browser (use a file input and `…Bytes`, or let the person type a path). */
  'system.browse': endpoint(
    z.object({ what: z.enum(['photos', 'folder', 'model', 'file']) }),
    z.object({ paths: z.array(pathSchema) }),
  ),
  /**
   * Folders and files in `path` on the machine that computes, for choosing one in the browser; the home folder when left out. If
   * `path` is a file, its folder is listed, and `file` is its path.
   */
  'system.list': endpoint(
    z.object({ path: pathSchema.optional(), hidden: z.boolean().optional() }),
    z.object({
      path: pathSchema,
      file: pathSchema.nullable(),
      /** Worth offering: the home folder, and the Hugging Face cache where there is one. */
      places: z.array(z.object({ kind: z.enum(['home', 'hub']), path: pathSchema })),
      parent: pathSchema.nullable(),
      entries: z.array(z.object({ name: z.string(), folder: z.boolean() })),
    }),
  ),
};

export const systemEvents = {
  'system.offline': offlineSchema,
};
