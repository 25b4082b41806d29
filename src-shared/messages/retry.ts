import type { Problem } from './problem.ts';
import type { MessageCode } from './index.ts';

/** Failures due to the request or to a file's content: trying again fails the same way. */
const lasting: readonly MessageCode[] = [
  ...(['library.gone', 'generation.otherModels', 'generation.tooMany', 'size.unusable'] as const),
  ...(['picture.noRecipe', 'picture.badRecipe', 'output.notFinite', 'scheduler.steps'] as const),
  ...(['model.family', 'model.notOne', 'model.unclear', 'download.noModel', 'weights.unsafe'] as const),
  ...(['weights.unsupported', 'weights.precision', 'lora.notOne', 'lora.unsupported'] as const),
  ...(['lora.otherModel', 'lora.partly', 'lora.target', 'export.needsLora', 'export.unproven'] as const),
  ...(['training.badSettings', 'training.diverged', 'run.otherModel', 'run.otherSetting'] as const),
  ...(['compress.layers', 'compress.unknownBlock', 'compress.unbalanced', 'compress.emptyStage'] as const),
  ...(['compress.innerStage', 'compress.unfit', 'distill.unfit', 'score.noPhotos'] as const),
];

/** Whether trying again may succeed: the disk may have room by then, the file may be back. */
export function mayEndOtherwise(error: Problem | null): boolean {
  return error === null || !lasting.some((code) => code === error.code);
}
