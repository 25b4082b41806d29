import type { Model } from '../checkpoints/model.ts';
import { writeAtomically } from '../checkpoints/writeSafetensors.ts';
import { openTokenizer } from '../pipelines/openTokenizer.ts';
import { encodePng } from '../pipelines/png.ts';
import { TextToImage } from '../pipelines/textToImage.ts';
import { subjectPrompt, type FinetuneSettings } from './settings.ts';
import type { Trained } from './trained.ts';
import type { Trainer } from './trainer.ts';

const samplingSteps = 25;
const guidance = 7.5;

/** Draws one picture with the weights as they are now, always from the run's seed, and writes it as a PNG. Returns its path. */
export async function drawSample(
  path: string,
  model: Model,
  settings: FinetuneSettings,
  { adapters }: Trained,
  trainer: Trainer,
  signal: AbortSignal,
): Promise<string> {
  const pipeline = new TextToImage(model, await openTokenizer(model), {
    provider: settings.provider,
    fed: trainer.parameters,
    adapters: new Map([...(adapters?.unet ?? []), ...(adapters?.textEncoder ?? [])]),
  });
  try {
    const prompt = settings.samplePrompt ?? subjectPrompt(settings);
    const requests = [{ prompt, seed: settings.seed }];
    const size = { width: settings.size, height: settings.size };
    for await (const { picture } of pipeline.generate(requests, {
      steps: samplingSteps,
      guidance,
      ...size,
      signal,
    })) {
      const png = await encodePng(picture);
      writeAtomically(path, () => [png]);
    }
    return path;
  } finally {
    await pipeline.dispose();
  }
}
