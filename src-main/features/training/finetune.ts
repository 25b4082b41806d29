import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AskedFinetune,
  type FinetuneSettings,
  finetuneSettings,
  type OtherSubject,
  withoutIdlePrior,
} from '../../../src-shared/domain/finetuneSettings.ts';
import { captionFault } from '../../../src-shared/domain/caption.ts';
import { eachSubject } from '../../../src-shared/domain/runSubjects.ts';
import { changedSettings, completeSettings } from '../../../src-shared/domain/settingValues.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { isFile } from '../../engine/checkpoints/files.ts';
import { assumption } from '../../engine/checkpoints/prediction.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { TextToImage } from '../../engine/pipelines/textToImage.ts';
import { finetune as train, type FinetuneResult } from '../../engine/training/run/finetune.ts';
import { captionsOf, strayCaptions } from '../../engine/training/data/photoCaptions.ts';
import { listPhotos } from '../../engine/training/data/photoFolder.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import { usableCache } from '../../engine/checkpoints/usableCache.ts';
import { cacheFolder } from '../../places.ts';
import { plannedPrior } from './classPlan.ts';
import { ownScenes, ownSettings } from './ownSettings.ts';
import { photoScenes } from './photoScenes.ts';
import { type FinetuneRequest } from './request.ts';
import { plural } from '../../../src-shared/plural.ts';

/**
 * Starts the run that `request` asks for, or resumes it (with `resume` and no run there: starts it). Errors: those of the engine's
 * `finetune`, `run.…`, `training.…`.
 */
export async function finetune(
  request: FinetuneRequest,
  context: JobContext,
  version: string,
): Promise<FinetuneResult> {
  const { out, resume, team } = request;
  const known = RunFolder.exists(out);
  if (known && !resume) throw problem('run.exists', { folder: out });
  const { photos, replay } = request.settings;
  if (!known && resume && photos === undefined && replay === undefined)
    throw problem('run.missing', { folder: out });
  const settings = known ? settingsOfRun(request) : await newSettings(request, context);
  return train({ settings, out, version, team, cache: usableCache(cacheFolder()) }, context);
}

async function newSettings(
  { settings: said, fallbackModel, team }: FinetuneRequest,
  context: JobContext,
): Promise<FinetuneSettings> {
  // Who brings pictures of the class wants them used, whatever the model's own settings are.
  const ofClass = said.classPhotos !== undefined && said.prior === undefined;
  const asked = ofClass ? { ...said, prior: { weight: 1 } } : said;
  if (asked.replay === undefined) {
    if (asked.photos === undefined) throw problem('training.noPhotos', { option: '--photos' });
    if (!asked.classNoun) throw problem('training.noClass', { option: '--class' });
  }
  const model = asked.model ?? fallbackModel;
  if (model === undefined) throw new Error('a new run needs a model');
  const opened = openModel(model, asked.prediction);
  const note = assumption(opened);
  if (note !== undefined) context.report({ type: 'note', message: note });
  const { width } = TextToImage.defaultSize(opened);
  const own = {
    ...{ size: width, ...ownSettings(model, asked.method), model },
    ...(team && { accumulate: team.workers }),
  };
  const alone = withoutIdlePrior(completeSettings(finetuneSettings, asked, own));
  const subjects = eachSubject(alone);
  if (alone.replay === undefined) checkSubjects(subjects);
  // Each subject is shown as often as it would be alone.
  const settings =
    asked.steps === undefined && subjects.length > 1
      ? withoutIdlePrior(
          completeSettings(finetuneSettings, { ...asked, steps: alone.steps * subjects.length }, own),
        )
      : alone;
  if (settings.photos === undefined) return settings;
  const prior =
    settings.classPhotos === undefined
      ? await plannedPrior(settings, asked.prior, opened, context)
      : settings.prior;
  const textsOf = async (one: FinetuneSettings): Promise<PhotoTexts> => {
    const { photos, classNoun, token, captions } = one;
    if (photos === undefined) return {};
    const photoCaptions = captions ? await captionsIn(photos, { token }, context) : undefined;
    return {
      ...(photoCaptions && { photoCaptions }),
      photoScenes:
        settings.photoScenes ?? (await photoScenes({ model, photos, classNoun }, ownScenes(model), context)),
    };
  };
  const [first, ...others] = eachSubject(settings);
  const classCaptions = await captionsOfClass(settings, context);
  const taught = { ...settings, prior, ...(await textsOf(first)), ...(classCaptions && { classCaptions }) };
  if (others.length === 0) return taught;
  const otherSubjects: OtherSubject[] = [];
  for (const one of others) {
    const { photos, classNoun, token } = one;
    otherSubjects.push({ photos, classNoun, token, ...(await textsOf(one)) });
  }
  return { ...taught, otherSubjects };
}

type PhotoTexts = Pick<FinetuneSettings, 'photoScenes' | 'photoCaptions'>;

/** Errors: `training.…` where a subject lacks photos or a class, or two would be mixed up. */
function checkSubjects(subjects: readonly FinetuneSettings[]): void {
  for (const { photos, classNoun, token, classPhotos } of subjects) {
    if (photos === undefined) throw problem('training.noPhotos', { option: '--photos' });
    if (!classNoun) throw problem('training.noClass', { option: '--class' });
    if (subjects.filter((other) => other.token === token).length > 1)
      throw problem('training.sameToken', { token });
    if (subjects.filter((other) => other.photos === photos).length > 1)
      throw problem('training.samePhotos', { photos });
    const [first] = subjects;
    if (classPhotos !== undefined && first?.classNoun !== classNoun)
      throw problem('training.severalClasses', {
        folder: classPhotos,
        classes: [...new Set(subjects.map((one) => one.classNoun))].join(', '),
      });
  }
}

/** The captions beside the photos, and a note about them; undefined where there are none. */
async function captionsIn(
  folder: string,
  { token }: Pick<FinetuneSettings, 'token'>,
  { report }: Pick<JobContext, 'report'>,
): Promise<FinetuneSettings['photoCaptions']> {
  const photos = await listPhotos(folder);
  const captions = captionsOf(photos);
  const names = Object.keys(captions);
  const table = ['metadata.jsonl', 'metadata.csv'].find((name) => isFile(join(folder, name)));
  if (table !== undefined)
    report({
      type: 'warning',
      message: `${join(folder, table)} is not read here: a photo's caption goes into a text file of its name beside it, as NAME.txt beside NAME.jpg.`,
    });
  for (const file of strayCaptions(folder, photos))
    report({
      type: 'warning',
      message: `${file} is ignored: a caption has its photo's name, and no photo here has this one.`,
    });
  if (names.length === 0) return undefined;
  report({
    type: 'note',
    message: `${names.length} of ${plural(photos.length, 'photo', 'photos')} ${names.length === 1 ? 'has a caption beside it, which is used as its' : 'have a caption beside them, which is used as their'} prompt (--no-captions ignores captions).`,
  });
  const faults = names.map((name) => [name, captionFault(captions[name] ?? '', token)] as const);
  for (const [name, fault] of faults)
    if (fault?.kind === 'placeholder')
      report({
        type: 'warning',
        message: `The caption of ${name} has ${fault.name} in it, which stands for nothing; only {token} and {class} are replaced.`,
      });
  const untold = faults.flatMap(([name, fault]) => (fault?.kind === 'untold' ? [name] : []));
  if (untold.length > 0)
    report({
      type: 'warning',
      message: `The captions of ${untold.join(', ')} do not name the subject; write {token} {class} in them, or "${token}" will not mean it.`,
    });
  return captions;
}

/** The captions beside the person's own pictures of the class, and a note about them; undefined where there are none. */
async function captionsOfClass(
  { classPhotos, captions, prior }: FinetuneSettings,
  { report }: Pick<JobContext, 'report'>,
): Promise<FinetuneSettings['classCaptions']> {
  if (classPhotos === undefined || !captions || !prior) return undefined;
  const pictures = (await listPhotos(classPhotos, 'class')).slice(0, prior.classImages);
  const found = captionsOf(pictures);
  const count = Object.keys(found).length;
  if (count === 0) return undefined;
  report({
    type: 'note',
    message: `${count} of ${plural(pictures.length, 'class picture', 'class pictures')} ${count === 1 ? 'has a caption beside it, which is used as its' : 'have a caption beside them, which is used as their'} prompt (--no-captions ignores captions).`,
  });
  return found;
}

/**
 * The run's own settings, with the changes that were asked for where they are allowed. Errors: `run.otherSetting` for anything
 * else.
 */
function settingsOfRun({ out, settings: asked }: FinetuneRequest): FinetuneSettings {
  const { settings } = new RunFolder(out).describe();
  const { otherSubjects, ...others } = asked;
  const moved = movedSubjects(settings.otherSubjects, otherSubjects);
  const wanted = changedSettings(
    finetuneSettings,
    { ...settings, ...(moved && { otherSubjects: moved }) },
    moved ? others : asked,
    { folder: out, isThere: existsSync },
  );
  refuseGone(out, wanted, asked);
  return wanted;
}

/** What the run was started with and nobody gave again. Errors: `run.modelGone`, `run.photosGone`. */
function refuseGone(folder: string, { model, photos }: FinetuneSettings, asked: AskedFinetune): void {
  if (asked.model === undefined && !existsSync(model))
    throw problem('run.modelGone', { folder, model, option: '--model' });
  if (asked.photos === undefined && photos !== undefined && !existsSync(photos))
    throw problem('run.photosGone', { folder, photos, option: '--photos' });
}

/** The subjects of a run with their photos where `asked` says, if these are the same subjects whose photos have moved. */
function movedSubjects(
  own: FinetuneSettings['otherSubjects'],
  asked: FinetuneSettings['otherSubjects'],
): FinetuneSettings['otherSubjects'] {
  if (!own || own.length !== asked?.length) return undefined;
  const moved = own.map((one, i) => {
    const said = asked[i];
    if (said?.token !== one.token || said.classNoun !== one.classNoun) return undefined;
    const stays = one.photos !== undefined && existsSync(one.photos);
    return stays && one.photos !== said.photos ? undefined : { ...one, photos: said.photos };
  });
  return moved.every((one) => one !== undefined) ? moved : undefined;
}
