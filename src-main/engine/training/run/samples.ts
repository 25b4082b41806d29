import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { Model } from '../../checkpoints/model.ts';
import { ownGuidance } from '../../checkpoints/ownGuidance.ts';
import { writeAtomically } from '../../checkpoints/writeSafetensors.ts';
import type { NetworkOptions } from '../../pipelines/networks.ts';
import { openTokenizer } from '../../pipelines/openTokenizer.ts';
import { encodePng } from '../../pictures/png.ts';
import { TextToImage, type SamplingOptions } from '../../pipelines/textToImage.ts';
import type { PartAdapters } from '../loss/parameters.ts';
import { samplingSteps } from './plan.ts';

export interface SampleSettings
  extends Pick<FinetuneSettings, 'seed' | 'size' | 'provider'>, Partial<Pick<FinetuneSettings, 'precision'>> {
  readonly prompt: string;
  /** In 4 steps of LCM and without guidance, which it was trained with. */
  readonly few?: boolean;
}

/** The present weights: those that are trained, and a LoRA run's adapters. */
export interface PresentWeights extends Partial<PartAdapters> {
  readonly fed?: NetworkOptions['fed'];
}

/** Draws one picture with the present weights, always from the run's seed, and writes it as a PNG. Returns its path. */
export async function drawSample(
  path: string,
  model: Model,
  { prompt, seed, size, provider, precision = 'f32', few = false }: SampleSettings,
  { fed = {}, unet, textEncoder }: PresentWeights,
  { signal, onStep }: Pick<SamplingOptions, 'signal' | 'onStep'>,
): Promise<string> {
  const pipeline = new TextToImage(model, await openTokenizer(model), {
    ...{ provider, precision, fed },
    adapters: new Map([...(unet ?? []), ...(textEncoder ?? [])]),
  });
  const how = few
    ? ({ steps: 4, scheduler: 'lcm', guidance: 1 } as const)
    : { steps: samplingSteps, ...ownGuidance(model.path, 'subject') };
  const options = { ...how, width: size, height: size };
  try {
    for await (const { picture } of pipeline.generate([{ prompt, seed }], {
      ...options,
      ...(signal && { signal }),
      ...(onStep && { onStep }),
    })) {
      const png = await encodePng(picture);
      writeAtomically(path, () => [png]);
    }
    return path;
  } finally {
    await pipeline.dispose();
  }
}
