import * as z from 'zod';
import { idSchema, nameSchema } from '../domain/id.ts';
import { classNounSchema, subjectSchema, tokenSchema } from '../domain/subject.ts';
import { endpoint } from './endpoint.ts';
import { undoSchema } from './trash.ts';

const one = z.object({ id: idSchema });

export const subjectRequests = {
  /** Of one project, or all; newest first. */
  'subjects.list': endpoint(z.object({ projectId: idSchema.optional() }), z.array(subjectSchema)),
  'subjects.get': endpoint(one, subjectSchema),
  'subjects.create': endpoint(
    z.object({
      /** The first project when left out. */
      projectId: idSchema.optional(),
      name: nameSchema,
      classNoun: classNounSchema.or(z.literal('')).optional(),
      /** When left out, one that no other subject has. */
      token: tokenSchema.optional(),
    }),
    subjectSchema,
  ),
  /** Makes a subject of the photos that come with Likeness, for the tour; returns it if it is there already. */
  'subjects.createSample': endpoint(z.object({}), subjectSchema),
  /** Suggestions for the class noun: words that the model for new runs knows. */
  'subjects.nouns': endpoint(z.object({}), z.array(z.string())),
  'subjects.update': endpoint(
    z.object({
      id: idSchema,
      name: nameSchema.optional(),
      classNoun: classNounSchema.or(z.literal('')).optional(),
      token: tokenSchema.optional(),
      projectId: idSchema.optional(),
    }),
    subjectSchema,
  ),
  /** With photos and runs; its pictures stay. */
  'subjects.remove': endpoint(one, undoSchema),
};

export const subjectEvents = {
  'subjects.changed': subjectSchema,
  'subjects.removed': one,
};
