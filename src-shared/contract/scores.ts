import * as z from 'zod';
import { idSchema } from '../domain/id.ts';
import { promptListNames, scoreReportSchema } from '../domain/score.ts';
import { endpoint } from './endpoint.ts';

const ofRun = z.object({ runId: idSchema });

export const scoreRequests = {
  /** null: not measured yet. */
  'scores.get': endpoint(ofRun, scoreReportSchema.nullable()),
  /** Measures every checkpoint of a run. Queues a job. */
  'scores.start': endpoint(
    ofRun.extend({ list: z.enum(promptListNames).default('standard') }),
    z.object({ jobId: idSchema }),
  ),
};

export const scoreEvents = {
  'scores.changed': ofRun,
};
