import { existsSync } from 'node:fs';
import { type DistillSettings, distillSettings } from '../../../src-shared/domain/distillSettings.ts';
import { changedSettings, completeSettings } from '../../../src-shared/domain/settingValues.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { TextToImage } from '../../engine/pipelines/textToImage.ts';
import { distill as train } from '../../engine/training/run/distill.ts';
import type { RunResult } from '../../engine/training/run/loop.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import { usableCache } from '../../engine/checkpoints/usableCache.ts';
import { cacheFolder } from '../../places.ts';
import { type DistillRequest } from './request.ts';

/**
 * Starts the run that `request` asks for, or resumes it (with `resume` and no run there: starts it). Errors: those of the engine's
 * `distill`, `run.…`.
 */
export async function distill(
  request: DistillRequest,
  context: JobContext,
  version: string,
): Promise<RunResult> {
  const { out, resume, team } = request;
  const known = RunFolder.exists(out);
  if (known && !resume) throw problem('run.exists', { folder: out });
  const { teacher, student, lcm } = request.settings;
  if (!known && (teacher === undefined || (student === undefined && lcm !== true)))
    throw problem('run.missing', { folder: out });
  const settings = known ? settingsOfRun(request) : newSettings(request);
  return train({ settings, out, version, team, cache: usableCache(cacheFolder()) }, context);
}

function newSettings({ settings: asked, team }: DistillRequest): DistillSettings {
  const { teacher = '' } = asked;
  const student = asked.lcm === true ? teacher : (asked.student ?? '');
  const { width } = TextToImage.defaultSize(openModel(student));
  return completeSettings(distillSettings, {
    size: width,
    ...(team && { accumulate: team.workers }),
    ...asked,
    teacher,
    student,
  });
}

/**
 * The run's own settings, with the changes that were asked for where they are allowed. Errors: `run.otherSetting` for anything
 * else.
 */
function settingsOfRun({ out, settings: asked }: DistillRequest): DistillSettings {
  const { settings } = new RunFolder(out).describe('distill');
  return changedSettings(distillSettings, settings, asked, { folder: out, isThere: existsSync });
}
