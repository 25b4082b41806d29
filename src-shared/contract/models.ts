import * as z from 'zod';
import { idSchema, nameSchema, pathSchema } from '../domain/id.ts';
import { modelSchema } from '../domain/model.ts';
import { endpoint } from './endpoint.ts';

const one = z.object({ id: idSchema });

/** "owner/name" on the Hub. */
const repositorySchema = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/);

/** What a model would need on this machine. */
const outlookShape = {
  /** Bytes of memory that a LoRA's training takes, with the settings of a new run. */
  memory: z.number(),
  /** Whether there is that much memory. */
  fits: z.boolean(),
  /** Seconds of such a training and of a picture, by what was measured on this machine; null before anything was. */
  trainSeconds: z.number().nullable(),
  pictureSeconds: z.number().nullable(),
  /** The model that was measured. */
  measuredWith: z.string().nullable(),
};
export const outlookSchema = z.object(outlookShape);

export const modelRequests = {
  /** The shipped one first. */
  'models.list': endpoint(z.object({}), z.array(modelSchema)),
  /** A diffusers folder or single file: checked and hashed in a job, linked, not copied. */
  'models.import': endpoint(
    z.object({ path: pathSchema, name: nameSchema.optional() }),
    z.object({ jobId: idSchema }),
  ),
  'models.rename': endpoint(one.extend({ name: nameSchema }), modelSchema),
  /** Removes it from the list; linked files stay, downloaded ones go to the trash. Refused for the shipped one. */
  'models.remove': endpoint(one, z.object({ undo: z.string() })),
  /** Models of the Hub that are known to work. */
  'models.catalogue': endpoint(
    z.object({}),
    z.array(
      z.object({
        repository: repositorySchema,
        name: z.string(),
        family: z.string(),
        about: z.string(),
        licence: z.string(),
        /** Size of the download. */
        bytes: z.number(),
        parameters: z.number(),
        /** Pixels of a side. */
        side: z.int(),
        installed: z.boolean(),
        ...outlookShape,
      }),
    ),
  ),
  /** Queues a job; refused while `settings.downloads` is off, unless the person has `confirmed` this one. */
  'models.download': endpoint(
    z.object({
      repository: repositorySchema,
      revision: z
        .string()
        .max(100)
        .regex(/^[\w.-]+$/)
        .default('main'),
      /** Use this machine's Hub login. */
      login: z.boolean().default(false),
      /** The person confirmed it: this download alone may reach the Hub, whatever the locks say. The locks stay as they are. */
      confirmed: z.boolean().default(false),
    }),
    z.object({ jobId: idSchema }),
  ),
};

export const modelEvents = {
  'models.changed': z.array(modelSchema),
  /** Of a download. */
  'models.file': z.object({ jobId: idSchema, file: z.string(), done: z.number(), total: z.number() }),
};
