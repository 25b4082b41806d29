import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { FinetuneResult } from '../../engine/training/run/finetune.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import { finetune } from '../training/finetune.ts';
import type { FinetuneRequest } from '../training/request.ts';
import type { ScoreRequest } from './request.ts';
import { score, type ScoreResult } from './score.ts';
import { untilBest } from './untilBest.ts';

export interface BestResult extends FinetuneResult {
  readonly pick: number;
  readonly why: string;
  /** Two checkpoints in a row were no better. */
  readonly endedEarly: boolean;
  readonly scores: ScoreResult;
}

/** A finetune that scores every checkpoint and ends when none gets better. Errors: those of `finetune` and `score`. */
export async function trainUntilBest(
  request: FinetuneRequest,
  scoring: ScoreRequest,
  context: JobContext,
  version: string,
): Promise<BestResult> {
  let scores: ScoreResult | undefined;
  const { result, pick, why } = await untilBest(
    request.out,
    (inside, again) => finetune({ ...request, resume: again || request.resume }, inside, version),
    async (inside) => (scores = await score(scoring, inside)),
    context,
  );
  if (!scores) throw new Error('no checkpoint was scored');
  return { ...(result ?? lastOf(request.out)), pick, why, endedEarly: result === undefined, scores };
}

function lastOf(out: string): FinetuneResult {
  const run = new RunFolder(out);
  const step = run.checkpointSteps().at(-1) ?? 0;
  return { steps: step, loss: run.trimLog(step)?.loss ?? NaN, checkpoint: run.checkpointPath(step) };
}
