import type { Run } from '../../../src-shared/domain/run.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';

export const stages = ['photos', 'train', 'wait', 'generate', 'end'] as const;
export type Stage = (typeof stages)[number];

/** Where the tour is. `run`: the sample's newest since the tour began; `training`: whether that screen is open. */
export function stageOf(
  run: Pick<Run, 'state' | 'checkpoints'> | undefined,
  { training, hasPictures }: { readonly training: boolean; readonly hasPictures: boolean },
): Stage {
  if (!run) return training ? 'train' : 'photos';
  if (run.state === 'queued' || run.state === 'running' || run.state === 'paused') return 'wait';
  if (run.checkpoints === 0) return 'train';
  return hasPictures ? 'end' : 'generate';
}

/** At its end the tour asks for a subject of one's own: whoever has added one since it began needs it no more. */
export function isOver(
  stage: Stage,
  subjects: readonly Pick<Subject, 'sample' | 'createdAt'>[],
  since: number,
): boolean {
  return stage === 'end' && subjects.some(({ sample, createdAt }) => !sample && createdAt >= since);
}
