import { join } from 'node:path';
import { sha256 } from '../../checkpoints/contentHash.ts';
import { classPrompts } from './prompts.ts';
import { usualSteps } from '../../../../src-shared/domain/classPlan.ts';
import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { eachSubject } from '../../../../src-shared/domain/runSubjects.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { makeFolder } from '../../checkpoints/files.ts';
import { removeLeftovers } from '../../checkpoints/leftovers.ts';
import type { Model } from '../../checkpoints/model.ts';
import { modelHash } from '../../checkpoints/modelHash.ts';
import { ownGuidance } from '../../checkpoints/ownGuidance.ts';
import { writeAtomically } from '../../checkpoints/writeSafetensors.ts';
import { ofUnfinishedBatches } from '../../pipelines/batchSize.ts';
import { openTokenizer } from '../../pipelines/openTokenizer.ts';
import { pictureProgress } from '../../pipelines/pictureProgress.ts';
import { encodePng, isWholePng } from '../../pictures/png.ts';
import { TextToImage } from '../../pipelines/textToImage.ts';
import { isMadeForFewSteps } from '../../schedulers/index.ts';
import { listPhotos } from './photoFolder.ts';

/**
 * Class pictures for prior preservation, as files: the person's own, or made by the base model where there are none. Errors: those of
 * `listPhotos`.
 */
export async function classPictures(
  model: Model,
  settings: FinetuneSettings,
  cache: string,
  context: JobContext,
): Promise<string[]> {
  if (settings.classPhotos === undefined) await makeMissing(model, settings, cache, context);
  return classPictureFiles(model, settings, cache);
}

/**
 * Made by the base model from the class's prompts in turn. Picture i has seed i and is kept in `cache`, so that later runs, and this
 * one after an interruption, do not make it again.
 */
async function makeMissing(
  model: Model,
  settings: FinetuneSettings,
  cache: string,
  { report, signal }: JobContext,
): Promise<void> {
  const { size, provider, prior } = settings;
  const { guidance } = ownGuidance(model.path);
  const prompts = classPrompts(settings);
  const folder = classFolder(model, settings, cache);
  const count = prior?.classImages ?? 0;
  const fileOf = (i: number): string => join(folder, classFile(i));
  const files = madeFiles(model, settings, cache);
  const progress = (done: number, total = count): void =>
    report({ type: 'progress', done, total, label: 'class pictures' });
  if (!files.every(isWholePng)) {
    makeFolder(folder);
    removeLeftovers(folder);
    const pipeline = new TextToImage(model, await openTokenizer(model), { provider });
    const steps = prior?.classSteps ?? usualSteps;
    const options = { steps, guidance, width: size, height: size, signal, ...quickSampler(model, steps) };
    const batch = pipeline.steadyBatch(options);
    // Always whole batches, so that existing pictures stay as they are when more are wanted later.
    const most = Math.ceil(count / batch) * batch;
    const missing = ofUnfinishedBatches(most, batch, (i) => isWholePng(fileOf(i)));
    const known = most - missing.length;
    const { onStep, onPicture } = pictureProgress(missing.length, (made) => progress(known + made, most));
    try {
      const requests = missing.map((i) => ({ prompt: prompts[i % prompts.length] ?? '', seed: i }));
      for await (const { request, picture } of pipeline.generate(requests, { ...options, batch, onStep })) {
        const png = await encodePng(picture);
        writeAtomically(fileOf(request.seed), () => [png]);
        onPicture();
      }
    } finally {
      await pipeline.dispose();
    }
  } else progress(count);
}

/** DPM-Solver++ where there are fewer steps than the model's own sampler wants; a model for few steps has the right one. */
function quickSampler({ scheduler }: Model, steps: number): { scheduler?: 'dpm++2m' } {
  return steps < usualSteps && !isMadeForFewSteps(scheduler) ? { scheduler: 'dpm++2m' } : {};
}

const classFile = (i: number): string => `${String(i).padStart(4, '0')}.png`;

function classFolder(model: Model, settings: FinetuneSettings, cache: string): string {
  const { guidance } = ownGuidance(model.path);
  const asked = sha256(classPrompts(settings).join('\n'), 16);
  const { classSteps = usualSteps } = settings.prior ?? {};
  const steps = classSteps === usualSteps ? '' : `-${classSteps}`;
  return join(cache, 'class-pictures', `${modelHash(model)}-${settings.size}-${guidance}-${asked}${steps}`);
}

/** Where the class pictures of all a run's subjects are, or will be; of a person's own the first, in the order of their names. */
export async function classPictureFiles(
  model: Model,
  settings: FinetuneSettings,
  cache: string,
): Promise<string[]> {
  const { classPhotos, prior } = settings;
  if (classPhotos === undefined)
    return [...new Set(eachSubject(settings).flatMap((own) => madeFiles(model, own, cache)))];
  return prior ? (await listPhotos(classPhotos, 'class')).slice(0, prior.classImages) : [];
}

function madeFiles(model: Model, settings: FinetuneSettings, cache: string): string[] {
  const folder = classFolder(model, settings, cache);
  return Array.from({ length: settings.prior?.classImages ?? 0 }, (_, i) => join(folder, classFile(i)));
}
