import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../engine/checkpoints/files.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { writeAtomically } from '../../engine/checkpoints/writeSafetensors.ts';
import type { NetworkOptions } from '../../engine/pipelines/networks.ts';
import { openTokenizer } from '../../engine/pipelines/openTokenizer.ts';
import { loadPicture } from '../../engine/pipelines/pictures.ts';
import type { Picture } from '../../engine/pipelines/pixels.ts';
import { encodePng } from '../../engine/pipelines/png.ts';
import { TextToImage, type SamplingOptions } from '../../engine/pipelines/textToImage.ts';

export interface Wanted {
  readonly prompt: string;
  readonly seed: number;
}

/** A model as it draws: with a checkpoint's weights, or bare. */
export interface Artist {
  readonly model: Model;
  readonly networks: NetworkOptions;
}

export interface DrawnPicture {
  readonly path: string;
  readonly picture: Picture;
}

/** Draws what is wanted into `folder`, except what an earlier call drew there. `onPicture` is called for each, old and new. */
export async function drawPictures(
  folder: string,
  wanted: readonly Wanted[],
  { model, networks }: Artist,
  options: Omit<SamplingOptions, 'onStep'>,
  onPicture: () => void,
): Promise<DrawnPicture[]> {
  makeFolder(folder);
  const files = wanted.map((_, i) => join(folder, `${String(i).padStart(4, '0')}.png`));
  const missing = [...wanted.keys()].filter((i) => !existsSync(files[i] as string));
  for (let i = missing.length; i < wanted.length; i++) onPicture();
  if (missing.length > 0) {
    const pipeline = new TextToImage(model, await openTokenizer(model), networks);
    let next = 0;
    try {
      for await (const { picture } of pipeline.generate(
        missing.map((i) => wanted[i] as Wanted),
        options,
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
