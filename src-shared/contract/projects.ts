import * as z from 'zod';
import { idSchema, nameSchema } from '../domain/id.ts';
import { projectSchema } from '../domain/project.ts';
import { endpoint } from './endpoint.ts';
import { undoSchema } from './trash.ts';

export const projectRequests = {
  /** There is always at least one. */
  'projects.list': endpoint(z.object({}), z.array(projectSchema)),
  'projects.create': endpoint(z.object({ name: nameSchema }), projectSchema),
  'projects.rename': endpoint(z.object({ id: idSchema, name: nameSchema }), projectSchema),
  /** With its subjects; not the last one. */
  'projects.remove': endpoint(z.object({ id: idSchema }), undoSchema),
};

export const projectEvents = {
  'projects.changed': z.array(projectSchema),
};
