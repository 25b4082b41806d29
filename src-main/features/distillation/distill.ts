import { existsSync } from 'node:fs';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { TextToImage } from '../../engine/pipelines/textToImage.ts';
import { distill as train } from '../../engine/training/run/distill.ts';
import type { DistillSettings } from '../../engine/training/settings/distillSettings.ts';
import type { RunResult } from '../../engine/training/run/loop.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import { cacheFolder } from '../../places.ts';
import { completeSettings, type DistillRequest } from './request.ts';

/** Starts the run that `request` asks for, or goes on with it (with `resume` and no run there: starts it). Errors: those of the engine's `distill`, `run.…`. */
export async function distill(
  request: DistillRequest,
  context: JobContext,
  version: string,
): Promise<RunResult> {
  const { out, resume, team } = request;
  const known = RunFolder.exists(out);
  if (known && !resume) throw problem('run.exists', { folder: out });
  const { teacher, student } = request.settings;
  if (!known && (teacher === undefined || student === undefined))
    throw problem('run.missing', { folder: out });
  const settings = known ? settingsOfRun(request) : newSettings(request);
  return train({ settings, out, version, team, cache: cacheFolder() }, context);
}

function newSettings({ settings: asked, team }: DistillRequest): DistillSettings {
  const { teacher = '', student = '' } = asked;
  const { width } = TextToImage.defaultSize(openModel(student));
  return completeSettings({
    size: width,
    ...(team && { accumulate: team.workers }),
    ...asked,
    teacher,
    student,
  });
}

/** What may be another in the rest of a run: it is no part of the weights' arithmetic, or (the models) checked on its own. */
const changeable = [
  ...(['teacher', 'student', 'provider', 'steps'] as const),
  ...(['checkpointEvery', 'sampleEvery', 'samplePrompt'] as const),
] as const;
/** What may lie elsewhere than when the run began. */
const movable = ['data', 'replay'] as const;

/** The run's own settings, with what may change as asked. Errors: `run.otherSetting` for anything else. */
function settingsOfRun({ out, settings: asked }: DistillRequest): DistillSettings {
  const { settings } = new RunFolder(out).describe('distill');
  const moved = movable.filter((key) => settings[key] !== undefined && !existsSync(settings[key]));
  const free: readonly string[] = [...changeable, ...moved];
  const own: Readonly<Record<string, unknown>> = { ...settings };
  for (const [setting, wanted] of Object.entries(asked))
    if (!free.includes(setting) && wanted !== own[setting])
      throw problem('run.otherSetting', {
        ...{ folder: out, setting },
        is: JSON.stringify(own[setting] ?? 'nothing'),
        wanted: JSON.stringify(wanted),
      });
  return { ...settings, ...asked };
}
