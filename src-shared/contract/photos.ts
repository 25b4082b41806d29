import * as z from 'zod';
import { idSchema, pathSchema } from '../domain/id.ts';
import { cropSchema, photoSchema, photoSetReportSchema } from '../domain/photo.ts';
import { problemSchema } from '../messages/problem.ts';
import { subjectSchema } from '../domain/subject.ts';
import { endpoint } from './endpoint.ts';
import { undoSchema } from './trash.ts';

const ofSubject = z.object({ subjectId: idSchema });

/** Base64 of a file of at most 100 MB. */
export const fileDataSchema = z.string().max(140_000_000);

/** The result of adding files: each became a photo, was there already, or was refused with a reason. */
const addedPhotosSchema = z.object({
  added: z.array(photoSchema),
  duplicates: z.array(z.object({ name: z.string(), photoId: idSchema })),
  refused: z.array(z.object({ name: z.string(), problem: problemSchema })),
  /** Removes the added ones again. */
  undo: z.string().nullable(),
});

export const photoRequests = {
  'photos.list': endpoint(
    ofSubject,
    z.object({ photos: z.array(photoSchema), report: photoSetReportSchema }),
  ),
  /** Files and folders of this machine (dropped or browsed in the app). Copied into the library. */
  'photos.addPaths': endpoint(
    ofSubject.extend({ paths: z.array(pathSchema).min(1).max(1000) }),
    addedPhotosSchema,
  ),
  /** A file's bytes (dropped in the browser, or pasted). */
  'photos.addBytes': endpoint(
    ofSubject.extend({ name: z.string().min(1).max(255), data: fileDataSchema }),
    addedPhotosSchema,
  ),
  'photos.remove': endpoint(z.object({ ids: z.array(idSchema).min(1).max(1000) }), undoSchema),
  /** Sets the square used for training; null: the centred one. Returns what undoes it. */
  'photos.setCrop': endpoint(z.object({ id: idSchema, crop: cropSchema.nullable() }), photoSchema),
  /** A PNG (base64) of the photo's size whose white is the subject; null: none. */
  'photos.setMask': endpoint(z.object({ id: idSchema, data: fileDataSchema.nullable() }), photoSchema),
  /** Kept as NAME.txt beside the photo; empty: none. */
  'photos.setCaption': endpoint(z.object({ id: idSchema, caption: z.string().max(2000) }), photoSchema),
  /** New pictures in `folder` become photos; null: no more. */
  'photos.watch': endpoint(ofSubject.extend({ folder: pathSchema.nullable() }), subjectSchema),
};

export const photoEvents = {
  /** Photos of this subject were added, removed or changed: list them again. */
  'photos.changed': ofSubject,
  /** A watched folder had a file that can't be used. */
  'photos.refused': ofSubject.extend({ name: z.string(), problem: problemSchema }),
};
