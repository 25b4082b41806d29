import { join } from 'node:path';
import { openModel } from '../../src-main/engine/checkpoints/openModel.ts';
import { parseClipTextConfig, parseUNetConfig } from '../../src-main/engine/models/parseConfig.ts';
import { TextToImage } from '../../src-main/engine/pipelines/textToImage.ts';
import { noiseSchedule } from '../../src-main/engine/schedulers/noiseSchedule.ts';
import type { TorchGenerator } from '../../src-main/engine/tensor/random.ts';
import type { HostTensor } from '../../src-main/engine/tensor/tensor.ts';
import { diffusionFeeds, diffusionLoss } from '../../src-main/engine/training/loss/diffusionLoss.ts';
import { generatorFor } from '../../src-main/engine/tensor/seeded.ts';
import { captionIds, textFile, tokenizer } from './captionIds.ts';
import { contactSheet } from './contactSheet.ts';
import { schedulerConfig, side, tunedGeneration, unetConfig } from './modelConfig.ts';
import { numberOption, option, outFolder } from './paths.ts';
import { pretrain } from './pretrain.ts';
import { readPart } from './readPart.ts';
import { samplePrompts } from './samplePrompts.ts';
import { Pictures } from './shards.ts';
import { StoredLatents } from './storedLatents.ts';
import { writeFolder } from './writeFolder.ts';

// Stage 6: the U-Net, from captions and latents; a caption in ten is left empty, for guidance. The text encoder stays as it is.

const work = join(outFolder(), 'weights');
const batch = numberOption('batch', 32);
const emptyCaptions = 0.1;
const steps = numberOption('steps', 7000);

const pictures = new Pictures(join(outFolder(), option('name', 'train')));
const stored = new StoredLatents(join(work, 'latents.safetensors'));
const configs = {
  unet: { config: parseUNetConfig(unetConfig, 'modelConfig.ts') },
  textEncoder: { config: parseClipTextConfig(textFile, 'modelConfig.ts') },
};
const { loss } = diffusionLoss(configs, { batch, latents: stored.shape });
const schedule = noiseSchedule(schedulerConfig, 'modelConfig.ts');
const text = readPart(join(work, 'text_encoder'), 'model.safetensors');

await pretrain({
  stage: 'unet',
  folder: work,
  loss,
  steps,
  learningRate: numberOption('rate', 1.5e-3),
  warmup: 100,
  weightDecay: 1e-2,
  // The average reaches over the last fifteenth of the run, however long it is.
  averageDecay: 1 - 15 / steps,
  frozen: (name) => (name.startsWith('text_encoder.') ? text(name) : undefined),
  feeds: (step) => {
    const generator = generatorFor(3, 'unet', step);
    const shape = [batch, ...stored.shape];
    const size = stored.at(0).length;
    const values = new Float32Array(batch * size);
    const ids: number[] = [];
    for (const [row, index] of generator.randint(0, stored.count, [batch]).entries()) {
      values.set(stored.at(index), row * size);
      const captions = pictures.captions[index % (stored.count / 2)]?.captions ?? [];
      const [choice = 0, chance = 0] = generator.rand([2]);
      // The fuller wordings come first, and teach more.
      const caption = captions[Math.floor(choice ** 2 * captions.length)] ?? '';
      ids.push(...captionIds(chance < emptyCaptions ? '' : caption));
    }
    const integers = (dimensions: number[], data: number[]): HostTensor<'i64'> => ({
      dtype: 'i64',
      shape: dimensions,
      data: BigInt64Array.from(data, BigInt),
    });
    const drawn = {
      latents: { dtype: 'f32' as const, shape, data: values },
      noise: { dtype: 'f32' as const, shape, data: generator.randn(shape) },
      timesteps: integers([batch], drawTimesteps(generator, step)),
      inputIds: integers([batch, ids.length / batch], ids),
    };
    return diffusionFeeds(drawn, schedule);
  },
  onResult: async (step, value) => {
    writeFolder(work, { outputs: { loss } }, value);
    await drawSheet(join(work, `sheet-${String(step).padStart(6, '0')}.png`));
  },
});

/**
 * Timesteps: for the first two fifths of the run more at the noisy end (density ∝ √t), where captions are learnt; then few at
 * either end (logit-normal: Esser et al. 2024, section 3.1), most where noise becomes shapes.
 */
function drawTimesteps(generator: TorchGenerator, step: number): number[] {
  if (step < 0.4 * steps)
    return Array.from(generator.rand([batch]), (u) => Math.floor(1000 * Math.cbrt(u * u)));
  return Array.from(generator.randn([batch]), (x) => Math.floor(1000 / (1 + Math.exp(-0.3 - x))));
}

/** A picture of each prompt of the fixed list, seed 0, unpicked. */
async function drawSheet(path: string): Promise<void> {
  const pipeline = new TextToImage(openModel(join(work, 'likeness-mini')), tokenizer);
  const requests = samplePrompts.map((prompt) => ({ prompt, seed: 0 }));
  const made: Uint8Array[] = [];
  const options = { steps: 25, guidance: tunedGeneration.guidance, width: side, height: side };
  for await (const { picture } of pipeline.generate(requests, options)) made.push(picture.data);
  await pipeline.dispose();
  await contactSheet(made, side, 6, path);
}
