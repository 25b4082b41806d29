import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { classPrompt } from './prompts.ts';
import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { makeFolder } from '../../checkpoints/files.ts';
import type { Model } from '../../checkpoints/model.ts';
import { modelHash } from '../../checkpoints/openModel.ts';
import { ownGuidance } from '../../checkpoints/ownGuidance.ts';
import { writeAtomically } from '../../checkpoints/writeSafetensors.ts';
import { openTokenizer } from '../../pipelines/openTokenizer.ts';
import { encodePng } from '../../pipelines/png.ts';
import { TextToImage } from '../../pipelines/textToImage.ts';
import { loadPhoto } from './photos.ts';

const samplingSteps = 25;

/**
 * Class pictures for prior preservation, [3,size,size] in −1…1, made by the base model from "a photo of {class}". Picture i has
 * seed i and is kept in `cache`, so that later runs, and this one when it is interrupted, do not make it again.
 */
export async function classPictures(
  model: Model,
  settings: FinetuneSettings,
  cache: string,
  { report, signal }: JobContext,
): Promise<Float32Array[]> {
  const { size, provider, prior } = settings;
  const prompt = classPrompt(settings);
  const { guidance } = ownGuidance(model.path);
  const noun = settings.classNoun.replace(/[^\p{L}\p{N}]+/gu, '-');
  const folder = join(cache, 'class-pictures', `${modelHash(model)}-${size}-${noun}-${guidance}`);
  const files = Array.from({ length: prior?.classImages ?? 0 }, (_, i) =>
    join(folder, `${String(i).padStart(4, '0')}.png`),
  );
  const missing = [...files.keys()].filter((i) => !existsSync(files[i] as string));
  if (missing.length > 0) {
    makeFolder(folder);
    const pipeline = new TextToImage(model, await openTokenizer(model), { provider });
    const requests = missing.map((i) => ({ prompt, seed: i }));
    let done = files.length - missing.length;
    const options = { steps: samplingSteps, guidance, width: size, height: size, signal };
    try {
      for await (const { request, picture } of pipeline.generate(requests, options)) {
        const png = await encodePng(picture);
        writeAtomically(files[request.seed] as string, () => [png]);
        report({ type: 'progress', done: ++done, total: files.length, label: 'class pictures' });
      }
    } finally {
      await pipeline.dispose();
    }
  }
  const pictures: Float32Array[] = [];
  for (const file of files) pictures.push(await loadPhoto(file, { size }));
  return pictures;
}
