import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '../../src-main/engine/checkpoints/safetensors.ts';
import { readTensor, type TensorEntry } from '../../src-main/engine/checkpoints/weights.ts';
import { openModel } from '../../src-main/engine/checkpoints/openModel.ts';
import { input } from '../../src-main/engine/graph/build.ts';
import {
  parseClipTextConfig,
  parseUNetConfig,
  parseVaeConfig,
} from '../../src-main/engine/models/parseConfig.ts';
import { Tokenizer } from '../../src-main/engine/models/tokenizer.ts';
import { vaeDecode, vaeEncode } from '../../src-main/engine/models/vae.ts';
import { Scope } from '../../src-main/engine/nn/scope.ts';
import { TextToImage } from '../../src-main/engine/pipelines/textToImage.ts';
import { resolveScheduler } from '../../src-main/engine/schedulers/config.ts';
import { alphasCumprod } from '../../src-main/engine/schedulers/noiseSchedule.ts';
import { f16ToF32 } from '../../src-main/engine/tensor/half.ts';
import type { HostTensor } from '../../src-main/engine/tensor/tensor.ts';
import { diffusionFeeds, diffusionLoss } from '../../src-main/engine/training/diffusionLoss.ts';
import { generatorFor } from '../../src-main/engine/training/randomness.ts';
import { contactSheet } from './contactSheet.ts';
import { schedulerConfig, side, textConfig, unetConfig, vaeConfig } from './modelConfig.ts';
import { numberOption, option, outFolder } from './paths.ts';
import { pretrain } from './pretrain.ts';
import { readPart } from './readPart.ts';
import { samplePrompts } from './samplePrompts.ts';
import { Pictures } from './shards.ts';
import { writePart } from './writePart.ts';

// Stage 4: U-Net and text encoder together, from captions and latents; a caption in ten is left empty, for guidance.

const work = join(outFolder(), 'weights');
const batch = numberOption('batch', 32);
const emptyCaptions = 0.1;
const steps = numberOption('steps', 20_000);
const noiseBias = numberOption('noise-bias', 1);
const folder = join(work, 'likeness-mini');
const tokenizerFolder = join(work, 'tokenizer');

const pictures = new Pictures(join(outFolder(), option('name', 'train')));
const { tensors, metadata } = readSafetensors(join(work, 'latents.safetensors'));
const stored = tensors.get('latents') as TensorEntry;
const latents = f16ToF32(readTensor(stored).data as Uint16Array);
const scalingFactor = Number(metadata['scalingFactor']);
const [count, ...latentShape] = stored.shape as [number, number, number, number];
const latentSize = latents.length / count;

const tokenizer = await Tokenizer.load(tokenizerFolder);
const special = (token: string): number => tokenizer.encode(token).ids[1] as number;
const textFile = {
  ...textConfig,
  vocab_size: tokenizer.vocabularySize,
  bos_token_id: special('<|startoftext|>'),
  eos_token_id: special('<|endoftext|>'),
  pad_token_id: special('<|endoftext|>'),
};
const vaeFile = { ...vaeConfig, scaling_factor: scalingFactor };
const configs = {
  unet: { config: parseUNetConfig(unetConfig, 'modelConfig.ts') },
  textEncoder: { config: parseClipTextConfig(textFile, 'modelConfig.ts') },
};
const loss = diffusionLoss(configs, {
  batch,
  latents: latentShape,
  prediction: 'v_prediction',
});
const alphaBars = alphasCumprod(resolveScheduler(schedulerConfig, undefined, 'modelConfig.ts').config);
const emptyIds = tokenizer.encode('').ids;

await pretrain({
  stage: 'unet',
  folder: work,
  loss,
  steps,
  learningRate: numberOption('rate', 1e-3),
  warmup: 100,
  weightDecay: 1e-2,
  // The average reaches over the last fifth of the run, however long it is.
  averageDecay: 1 - 5 / steps,
  feeds: (step) => {
    const generator = generatorFor(3, 'unet', step);
    const values = new Float32Array(batch * latentSize);
    const ids: number[] = [];
    for (const [row, index] of generator.randint(0, count, [batch]).entries()) {
      for (let i = 0; i < latentSize; i++)
        values[row * latentSize + i] = (latents[index * latentSize + i] as number) * scalingFactor;
      const captions = pictures.captions[index]?.captions ?? [];
      const [choice = 0, chance = 0] = generator.rand([2]);
      const caption = captions[Math.floor(choice * captions.length)] ?? '';
      ids.push(...(chance < emptyCaptions ? emptyIds : tokenizer.encode(caption).ids));
    }
    const shape = [batch, ...latentShape];
    const integers = (size: number[], data: number[]): HostTensor<'i64'> => ({
      dtype: 'i64',
      shape: size,
      data: BigInt64Array.from(data, BigInt),
    });
    const drawn = {
      latents: { dtype: 'f32' as const, shape, data: values },
      noise: { dtype: 'f32' as const, shape, data: generator.randn(shape) },
      timesteps: integers([batch], noisyTimesteps(generator.rand([batch]))),
      inputIds: integers([batch, emptyIds.length], ids),
    };
    return diffusionFeeds(drawn, alphaBars);
  },
  onResult: async (step, value) => {
    writeModel(value);
    await drawSheet(join(work, `sheet-${String(step).padStart(6, '0')}.png`));
  },
});

/** Timesteps from uniform numbers: evenly at `--noise-bias 1`, more at the noisy end, where captions matter most, above. */
function noisyTimesteps(uniform: Float32Array): number[] {
  return Array.from(uniform, (u) => Math.floor(1000 * u ** (1 / noiseBias)));
}

/** Writes the whole folder as it will ship. */
function writeModel(value: (name: string) => HostTensor<'f32'>): void {
  const graph = { outputs: { loss } };
  writePart(
    join(folder, 'unet'),
    'unet',
    'diffusion_pytorch_model.safetensors',
    unetConfig,
    graph,
    value,
    'f16',
  );
  writePart(join(folder, 'text_encoder'), 'text_encoder', 'model.safetensors', textFile, graph, value, 'f16');
  const vae = Scope.root('vae');
  const { mean, logvar } = vaeEncode(
    vae,
    input('image', [1, 3, side, side]),
    parseVaeConfig(vaeFile, 'modelConfig.ts'),
  );
  const decoded = vaeDecode(vae, mean, parseVaeConfig(vaeFile, 'modelConfig.ts'));
  const vaeGraph = { outputs: { logvar, decoded } };
  writePart(
    join(folder, 'vae'),
    'vae',
    'diffusion_pytorch_model.safetensors',
    vaeFile,
    vaeGraph,
    readPart(join(work, 'vae')),
    'f16',
  );
  for (const name of ['tokenizer', 'scheduler']) mkdirSync(join(folder, name), { recursive: true });
  for (const name of ['vocab.json', 'merges.txt', 'tokenizer_config.json', 'special_tokens_map.json']) {
    copyFileSync(join(tokenizerFolder, name), join(folder, 'tokenizer', name));
  }
  const write = (name: string, content: object): void =>
    writeFileSync(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
  write(join('scheduler', 'scheduler_config.json'), schedulerConfig);
  write('model_index.json', {
    _class_name: 'StableDiffusionPipeline',
    feature_extractor: [null, null],
    requires_safety_checker: false,
    safety_checker: [null, null],
    scheduler: ['diffusers', schedulerConfig._class_name],
    text_encoder: ['transformers', 'CLIPTextModel'],
    tokenizer: ['transformers', 'CLIPTokenizer'],
    unet: ['diffusers', 'UNet2DConditionModel'],
    vae: ['diffusers', 'AutoencoderKL'],
  });
}

/** A picture of each prompt of the fixed list, seed 0, unpicked. */
async function drawSheet(path: string): Promise<void> {
  const pipeline = new TextToImage(openModel(folder), tokenizer);
  const requests = samplePrompts.map((prompt) => ({ prompt, seed: 0 }));
  const made: Uint8Array[] = [];
  const options = { steps: 25, guidance: 4, width: side, height: side };
  for await (const { picture } of pipeline.generate(requests, options)) made.push(picture.data);
  await pipeline.dispose();
  await contactSheet(made, side, 6, path);
}
