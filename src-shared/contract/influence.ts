import * as z from 'zod';
import { idSchema } from '../domain/id.ts';
import {
  influenceCostSchema,
  influenceReportSchema,
  photoInfluenceSchema,
} from '../domain/photoInfluence.ts';
import { endpoint } from './endpoint.ts';

const ofRun = z.object({ runId: idSchema });

export const influenceRequests = {
  'influence.get': endpoint(
    ofRun,
    z.object({
      /** null: not measured yet. `photo`: the subject's own, if it is still there. */
      report: influenceReportSchema
        .extend({
          photos: z.array(
            photoInfluenceSchema.extend({
              photo: z.object({ id: idSchema, subjectId: idSchema }).nullable(),
            }),
          ),
        })
        .nullable(),
      /** What measuring takes; null where the run has too few photos. */
      cost: influenceCostSchema.nullable(),
    }),
  ),
  /** Leaves each photo of a run out in a short run. Queues a job. */
  'influence.start': endpoint(ofRun, z.object({ jobId: idSchema })),
};

export const influenceEvents = {
  'influence.changed': ofRun,
};
