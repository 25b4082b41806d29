import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { RunScore } from '../../../src-shared/domain/runScore.ts';
import { bestOf } from '../../engine/evaluation/pick.ts';
import { isSampled } from '../../engine/training/run/plan.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';

/** Checkpoints after the best one in which a run may improve on it. */
const patience = 2;

/**
 * Trains from checkpoint to checkpoint and scores each; ends the run when `patience` checkpoints in a row did not beat the best,
 * or at its last step. All checkpoints stay. `train` resumes the run in `folder` where there is one. It is stopped right after a
 * checkpoint, so the weights are those of an uninterrupted run.
 */
export async function untilBest<T>(
  folder: string,
  train: (context: JobContext, resume: boolean) => Promise<T>,
  scoreRun: (context: JobContext) => Promise<Pick<RunScore, 'pick' | 'why' | 'checkpoints'>>,
  context: JobContext,
): Promise<{ readonly result: T | undefined; readonly pick: number; readonly why: string }> {
  for (let round = 0; ; round++) {
    const result = await trainToCheckpoint(folder, (paused) => train(paused, round > 0), context);
    const { pick, why, checkpoints } = await scoreRun(context);
    const best = bestOf(checkpoints).step;
    const since = checkpoints.filter(({ step }) => step > best).length;
    context.report({ type: 'note', message: why });
    if (result !== undefined || since >= patience) return { result, pick, why };
  }
}

/** The result if the run came to its end, undefined if it was stopped after a checkpoint. */
async function trainToCheckpoint<T>(
  folder: string,
  train: (context: JobContext) => Promise<T>,
  { report, signal }: JobContext,
): Promise<T | undefined> {
  const pause = new AbortController();
  let saved: number | undefined;
  const forward: JobContext['report'] = (event) => {
    report(event);
    if (event.type === 'checkpoint') saved = event.step;
    // A sample that follows this checkpoint is drawn before the run is stopped.
    const isLast =
      event.type === 'checkpoint'
        ? !isSampled(event.step, new RunFolder(folder).describe().settings)
        : event.type === 'sample';
    if (isLast && 'step' in event && event.step === saved) pause.abort();
  };
  try {
    return await train({ report: forward, signal: AbortSignal.any([signal, pause.signal]) });
  } catch (error) {
    if (!pause.signal.aborted || signal.aborted) throw error;
    return undefined;
  }
}
