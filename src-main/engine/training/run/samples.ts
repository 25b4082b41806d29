import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { NewWords } from '../../checkpoints/embedding.ts';
import type { Model } from '../../checkpoints/model.ts';
import { ownGuidance } from '../../checkpoints/ownGuidance.ts';
import { writeAtomically } from '../../checkpoints/writeSafetensors.ts';
import type { NetworkOptions } from '../../pipelines/networks.ts';
import { textToImageWith } from '../../pipelines/withWords.ts';
import { sideBySide, type Picture } from '../../pictures/pixels.ts';
import { encodePng } from '../../pictures/png.ts';
import type { SamplingOptions } from '../../pipelines/textToImage.ts';
import type { PartAdapters } from '../loss/parameters.ts';
import { samplingSteps } from './plan.ts';

export interface SampleSettings
  extends Pick<FinetuneSettings, 'seed' | 'size' | 'provider'>, Partial<Pick<FinetuneSettings, 'precision'>> {
  /** One picture each, side by side. */
  readonly prompts: readonly string[];
  /** In 4 steps of LCM and without guidance, which it was trained with. */
  readonly few?: boolean;
}

/** The present weights: those that are trained, and a LoRA run's adapters. */
export interface PresentWeights extends Partial<PartAdapters> {
  readonly fed?: NetworkOptions['fed'];
  /** Those that a textual inversion learns. */
  readonly words?: NewWords;
}

/** Draws a picture of each prompt with the present weights, always from the run's seed, and writes them as one PNG. Returns its path. */
export async function drawSample(
  path: string,
  model: Model,
  { prompts, seed, size, provider, precision = 'f32', few = false }: SampleSettings,
  { fed = {}, words, unet, textEncoder }: PresentWeights,
  { signal, onStep }: Pick<SamplingOptions, 'signal' | 'onStep'>,
): Promise<string> {
  const pipeline = await textToImageWith(words, model, {
    ...{ provider, precision, fed },
    adapters: new Map([...(unet ?? []), ...(textEncoder ?? [])]),
  });
  const how = few
    ? ({ steps: 4, scheduler: 'lcm', guidance: 1 } as const)
    : { steps: samplingSteps, ...ownGuidance(model.path, 'subject') };
  // One after the other: the last bits of each do not depend on how many there are.
  const options = { ...how, width: size, height: size, batch: 1 };
  const drawn: Picture[] = [];
  try {
    const requests = prompts.map((prompt) => ({ prompt, seed }));
    for await (const { picture } of pipeline.generate(requests, {
      ...options,
      ...(signal && { signal }),
      ...(onStep && { onStep }),
    }))
      drawn.push(picture);
    const png = await encodePng(sideBySide(drawn));
    writeAtomically(path, () => [png]);
    return path;
  } finally {
    await pipeline.dispose();
  }
}
