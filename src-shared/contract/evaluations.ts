import * as z from 'zod';
import { evaluationReportSchema, evaluationSchema } from '../domain/evaluation.ts';
import { idSchema } from '../domain/id.ts';
import { endpoint } from './endpoint.ts';
import { undoSchema } from './trash.ts';

/** Measuring pictures from anywhere, and models by DreamBooth's protocol. */
export const evaluationRequests = {
  /** Newest first. */
  'evaluations.list': endpoint(z.object({}), z.array(evaluationReportSchema)),
  /** Queues a job. */
  'evaluations.start': endpoint(evaluationSchema, z.object({ jobId: idSchema })),
  'evaluations.remove': endpoint(z.object({ id: idSchema }), undoSchema),
};

export const evaluationEvents = {
  /** A new one, or one that was restored. */
  'evaluations.changed': evaluationReportSchema,
};
