import * as z from 'zod';
import { idSchema, timeSchema } from './id.ts';

/** A square in pixels of the upright photo. */
export const cropSchema = z.object({
  x: z.int().min(0),
  y: z.int().min(0),
  side: z.int().min(1),
});
export type Crop = z.infer<typeof cropSchema>;

/** A remark of preflight about a photo. */
export const photoMarkSchema = z.object({
  /** "blurred", "small", "duplicate", "dark", "bright", "narrow", … */
  code: z.string(),
  /** `stop`: training can't use it; `warn`: it will cost quality; `note`: good to know. */
  level: z.enum(['stop', 'warn', 'note']),
  /** What it is and what to do, for people. */
  message: z.string(),
});
export type PhotoMark = z.infer<typeof photoMarkSchema>;

export const photoSchema = z.object({
  id: idSchema,
  subjectId: idSchema,
  /** File name. */
  name: z.string(),
  /** Pixels, upright (EXIF rotation applied). */
  width: z.int(),
  height: z.int(),
  bytes: z.int(),
  /** SHA-256 of the file, hex. */
  hash: z.string(),
  addedAt: timeSchema,
  /** The square used for training; null for the centred one. */
  crop: cropSchema.nullable(),
  hasMask: z.boolean(),
  /** Its prompt in training, with {token} and {class}; null: the subject alone. */
  caption: z.string().nullable(),
  marks: z.array(photoMarkSchema),
  /** The file is gone from the library's folder. */
  missing: z.boolean(),
});
export type Photo = z.infer<typeof photoSchema>;

/** Preflight's view of all photos together. */
export const photoSetReportSchema = z.object({
  /** Enough, and good enough, to train. */
  ready: z.boolean(),
  marks: z.array(photoMarkSchema),
});
export type PhotoSetReport = z.infer<typeof photoSetReportSchema>;
