import { problem } from '../../../src-shared/messages/index.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { TextToImage } from '../../engine/pipelines/textToImage.ts';
import { finetune as train, type FinetuneResult } from '../../engine/training/dreambooth.ts';
import { RunFolder } from '../../engine/training/runFolder.ts';
import type { FinetuneSettings } from '../../engine/training/settings.ts';
import { cacheFolder } from '../../storage/cacheFolder.ts';
import { ownSettings } from './ownSettings.ts';
import { completeSettings, type FinetuneRequest, type PartialSettings } from './request.ts';

/** Starts the run that `request` asks for, or goes on with it (with `resume` and no run there: starts it). Errors: those of the engine's `finetune`, `run.…`, `training.…`. */
export async function finetune(
  request: FinetuneRequest & { readonly settings: { readonly model: string } },
  context: JobContext,
  version: string,
): Promise<FinetuneResult> {
  const { out, resume } = request;
  const known = RunFolder.exists(out);
  if (known && !resume) throw problem('run.exists', { folder: out });
  const { photos, replay } = request.settings;
  if (!known && resume && photos === undefined && replay === undefined)
    throw problem('run.missing', { folder: out });
  const settings = known ? settingsOfRun(request) : newSettings(request.settings);
  return train({ settings, out, version, cache: cacheFolder() }, context);
}

function newSettings(asked: PartialSettings & { readonly model: string }): FinetuneSettings {
  if (asked.replay === undefined) {
    if (asked.photos === undefined) throw problem('training.noPhotos', { option: '--photos' });
    if (!asked.classNoun) throw problem('training.noClass', { option: '--class' });
  }
  const { model } = asked;
  const { width } = TextToImage.defaultSize(openModel(model));
  return completeSettings(asked, { size: width, ...ownSettings(model), model });
}

/** The run's own settings; only the number of steps may become another. */
function settingsOfRun({ out, settings: asked }: FinetuneRequest): FinetuneSettings {
  const { settings } = new RunFolder(out).describe();
  return asked.steps === undefined ? settings : { ...settings, steps: asked.steps };
}
