import { basename } from 'node:path';
import type { FinetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { cosine } from '../../engine/evaluation/features.ts';
import { LikenessScorer } from '../../engine/evaluation/likenessScorer.ts';
import { loadPicture } from '../../engine/pictures/pictures.ts';
import { listPhotos } from '../../engine/training/data/photoFolder.ts';

/**
 * For each photo, the best match among the `scenes` that the model knows, by the model's own scorer; undefined for a model without
 * one. A place that is named in a photo's prompt is not learnt as part of the subject.
 */
export async function photoScenes(
  {
    model,
    photos,
    classNoun,
  }: { readonly model: string; readonly photos: string; readonly classNoun: string },
  scenes: readonly string[],
  { report }: Pick<JobContext, 'report'>,
): Promise<FinetuneSettings['photoScenes']> {
  if (scenes.length === 0 || !LikenessScorer.isIn(model)) return undefined;
  const scorer = await LikenessScorer.open(model, 'cpu');
  const found: Record<string, string> = {};
  try {
    const texts = await scorer.prompts(scenes.map((scene) => `a photo of a ${classNoun} ${scene}`));
    for (const file of await listPhotos(photos)) {
      for (const seen of await scorer.pictures([await loadPicture(file)])) {
        const near = texts.map((text) => cosine(seen, text));
        found[basename(file)] = scenes[near.indexOf(Math.max(...near))] ?? '';
      }
    }
  } finally {
    await scorer.dispose();
  }
  const told = Object.entries(found).map(([file, scene]) => `${file} ${scene}`);
  report({ type: 'note', message: `Places in the photos, by the model's own scorer: ${told.join(', ')}.` });
  return found;
}
