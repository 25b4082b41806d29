import { join } from 'node:path';
import { makeFolder } from '../../engine/checkpoints/files.ts';
import { removeLeftovers } from '../../engine/checkpoints/leftovers.ts';
import type { NewWords } from '../../engine/checkpoints/embedding.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { writeAtomically } from '../../engine/checkpoints/writeSafetensors.ts';
import type { NetworkOptions } from '../../engine/pipelines/networks.ts';
import { ofUnfinishedBatches } from '../../engine/pipelines/batchSize.ts';
import { textToImageWith } from '../../engine/pipelines/withWords.ts';
import { loadPicture } from '../../engine/pictures/pictures.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import { pictureProgress } from '../../engine/pipelines/pictureProgress.ts';
import { encodePng, isWholePng } from '../../engine/pictures/png.ts';
import type { SamplingOptions } from '../../engine/pipelines/textToImage.ts';

export interface Wanted {
  readonly prompt: string;
  readonly seed: number;
}

/** A model that draws: with a checkpoint's weights, or bare. */
export interface Artist {
  readonly model: Model;
  readonly networks: NetworkOptions;
  /** Words that a textual inversion learnt. */
  readonly words?: NewWords | undefined;
}

export interface DrawnPicture {
  readonly path: string;
  readonly picture: Picture;
}

/**
 * Draws the wanted pictures into `folder`, except complete batches of an earlier call. `report` gets the number of pictures that
 * are there, counting parts of those being drawn.
 */
export async function drawPictures(
  folder: string,
  wanted: readonly Wanted[],
  { model, networks, words }: Artist,
  options: Omit<SamplingOptions, 'onStep'>,
  report: (done: number) => void,
): Promise<DrawnPicture[]> {
  makeFolder(folder);
  const files = wanted.map((_, i) => join(folder, `${String(i).padStart(4, '0')}.png`));
  const isThere = (i: number): boolean => isWholePng(files[i] as string);
  if ([...wanted.keys()].every(isThere)) report(wanted.length);
  else {
    removeLeftovers(folder);
    const pipeline = await textToImageWith(words, model, networks);
    const batch = pipeline.steadyBatch(options);
    const missing = ofUnfinishedBatches(wanted.length, batch, isThere);
    const known = wanted.length - missing.length;
    const { onStep, onPicture } = pictureProgress(missing.length, (done) => report(known + done));
    let next = 0;
    try {
      for await (const { picture } of pipeline.generate(
        missing.map((i) => wanted[i] as Wanted),
        { ...options, batch, onStep },
      )) {
        const png = await encodePng(picture);
        writeAtomically(files[missing[next++] as number] as string, () => [png]);
        onPicture();
        // Ctrl-C arrives only while the event loop turns.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      await pipeline.dispose();
    }
  }
  const drawn: DrawnPicture[] = [];
  for (const path of files) drawn.push({ path, picture: await loadPicture(path) });
  return drawn;
}
