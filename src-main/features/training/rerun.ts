import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type FinetuneSettings,
  finetuneSettings,
  trainingSettings,
} from '../../../src-shared/domain/finetuneSettings.ts';
import { checkedSettings } from '../../../src-shared/domain/settingValues.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { isFolder } from '../../engine/checkpoints/files.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { differences, makeCapsule, readCapsule, type Capsule } from '../../engine/training/run/capsule.ts';
import { classPictureFiles } from '../../engine/training/data/classPictures.ts';
import { finetune as train, type FinetuneResult } from '../../engine/training/run/finetune.ts';
import { capsuleFile, RunFolder } from '../../engine/training/run/runFolder.ts';
import { usableCache } from '../../engine/checkpoints/usableCache.ts';
import { cacheFolder } from '../../places.ts';

/** Paths are absolute; whatever is left out is where the run had it. */
export interface RerunRequest {
  /** A `capsule.json`, or the folder of a run that has one. */
  readonly capsule: string;
  readonly out: string;
  readonly resume: boolean;
  readonly photos?: string | undefined;
  /** Of the second subject, and so on. */
  readonly otherPhotos?: readonly string[] | undefined;
  readonly model?: string | undefined;
  readonly classPhotos?: string | undefined;
  readonly initLora?: string | undefined;
  readonly replay?: string | undefined;
  readonly provider?: ProviderChoice | undefined;
}

export interface RerunResult extends FinetuneResult {
  /** The last checkpoint has the same bits as the first run's. */
  readonly same: boolean;
  /** What is no longer as it was. */
  readonly changed: readonly string[];
}

/**
 * Makes a run again from its capsule, into a folder of its own, and compares the weights that come out. Errors: `capsule.changed` where
 * what was learnt from is not the same any more, `capsule.lost`, `capsule.damaged`, `run.exists`, those of `finetune`.
 */
export async function rerun(
  request: RerunRequest,
  context: JobContext,
  version: string,
): Promise<RerunResult> {
  const { out, resume } = request;
  const file = isFolder(request.capsule) ? join(request.capsule, capsuleFile) : request.capsule;
  const before = readCapsule(file);
  if (RunFolder.exists(out) && !resume) throw problem('run.exists', { folder: out });
  const settings = settingsFrom(file, before, request);
  const model = openModel(settings.model, settings.prediction);
  const parts = { settings, model, version, team: false };
  // Class pictures that the run makes are compared after it.
  const { 'class pictures': _, ...files } = before.files;
  const own = settings.classPhotos !== undefined;
  const classPictures = own ? await classPictureFiles(model, settings, cacheFolder()) : [];
  const now = await makeCapsule({ ...parts, classPictures });
  const { inputs, surroundings } = differences({ ...before, files }, now);
  if (inputs.length > 0) throw problem('capsule.changed', { file, what: inputs.join('; ') });
  for (const message of surroundings.map((what) => `Different from the first run: ${what}.`))
    context.report({ type: 'note', message });
  const result = await train({ settings, out, version, cache: usableCache(cacheFolder()) }, context);
  const after = readCapsule(join(out, capsuleFile));
  const found = differences(before, after);
  return {
    ...result,
    same: before.results !== undefined && sameHashes(before.results, after.results ?? {}),
    changed: [
      ...found.inputs,
      ...found.surroundings,
      ...(before.results ? [] : ['the first run has not ended, so there is nothing to compare with']),
    ],
  };
}

function sameHashes(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys({ ...a, ...b });
  return names.every((name) => a[name] === b[name]);
}

/**
 * The capsule's settings, with paths from the run beside it or from the request. Errors: `capsule.lost`, `training.badSettings`.
 */
function settingsFrom(file: string, capsule: Capsule, said: RerunRequest): FinetuneSettings {
  const beside = dirname(file);
  const known = RunFolder.exists(beside) ? new RunFolder(beside).describe().settings : undefined;
  const place = (
    what: string,
    option: string,
    asked: string | undefined,
    was: string | undefined,
  ): string => {
    const found = asked ?? was;
    if (found === undefined || !existsSync(found)) throw problem('capsule.lost', { file, what, option });
    return found;
  };
  const names = Object.keys(capsule.files);
  const otherSubjects = parsedSubjects(capsule)?.map((words, i) => ({
    ...words,
    photos: place(
      `photos of ${words.token} ${words.classNoun}`,
      '--other-photos',
      said.otherPhotos?.[i],
      known?.otherSubjects?.[i]?.photos,
    ),
  }));
  const hasPhotos = !names.includes('--replay');
  return checkedSettings(finetuneSettings, {
    ...capsule.settings,
    ...(otherSubjects && { otherSubjects }),
    provider: said.provider ?? known?.provider ?? 'auto',
    model: place(`the model ${capsule.model.name}`, '--model', said.model, known?.model),
    ...(hasPhotos && { photos: place('photos', '--photos', said.photos, known?.photos) }),
    ...(names.includes('--class-photos') && {
      classPhotos: place('pictures of the class', '--class-photos', said.classPhotos, known?.classPhotos),
    }),
    ...(names.includes('--init-lora') && {
      initLora: place('a LoRA to start from', '--init-lora', said.initLora, known?.initLora),
    }),
    ...(names.includes('--replay') && {
      replay: place('recorded batches', '--replay', said.replay, known?.replay),
    }),
  });
}

/** The subjects beside the first, as the capsule has them: without their places. */
function parsedSubjects({ settings }: Capsule): FinetuneSettings['otherSubjects'] {
  return trainingSettings.otherSubjects.type.safeParse(settings['otherSubjects']).data;
}
