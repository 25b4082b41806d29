import * as z from 'zod';
import { generationLimits as limits } from '../domain/generationLimits.ts';
import { idSchema } from '../domain/id.ts';
import { endpoint } from './endpoint.ts';
import { fileDataSchema } from './photos.ts';

/** The beginning of a kept file's SHA-256, hex, as in recipes. */
const hashSchema = z.string().regex(/^[0-9a-f]{16}$/);

/** A picture that others are drawn over, upright, kept in the library. */
export const originalSchema = z.object({ hash: hashSchema, width: z.int(), height: z.int() });
export type Original = z.infer<typeof originalSchema>;

/** What pictures are drawn over. */
export const overSchema = z.object({
  original: hashSchema,
  /** White is redrawn; null: everything is. */
  mask: hashSchema.nullable(),
  /** How much changes: the share of the steps that is taken. */
  strength: z.number().min(limits.strength.min).max(limits.strength.max),
  /** Draws only the masked part and this many pixels around it, enlarged; null: the whole original. */
  maskPadding: z.int().min(limits.maskPadding.min).max(limits.maskPadding.max).nullable(),
});
export type Over = z.infer<typeof overSchema>;

export const originalRequests = {
  /** Keeps a picture of the gallery, a photo, or a file's bytes to be drawn over. */
  'originals.keep': endpoint(
    z.union([
      z.object({ imageId: idSchema }),
      z.object({ photoId: idSchema }),
      z.object({ name: z.string().min(1).max(255), data: fileDataSchema }),
    ]),
    originalSchema,
  ),
  /** A PNG (base64) of the original's size, white where it is redrawn. */
  'originals.keepMask': endpoint(
    z.object({ original: hashSchema, data: fileDataSchema }),
    z.object({ mask: hashSchema }),
  ),
  /** Null where it is not kept here. */
  'originals.find': endpoint(z.object({ hash: hashSchema }), originalSchema.nullable()),
};
