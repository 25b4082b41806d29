import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { input } from '../../src-main/engine/graph/build.ts';
import type { Graph } from '../../src-main/engine/graph/graph.ts';
import { captionProjection, latentTower } from '../../src-main/engine/models/latentTower.ts';
import { parseVaeConfig } from '../../src-main/engine/models/parseConfig.ts';
import { vaeDecode, vaeEncode } from '../../src-main/engine/models/vae.ts';
import { Scope } from '../../src-main/engine/nn/scope.ts';
import type { HostTensor } from '../../src-main/engine/tensor/tensor.ts';
import { textFile, tokenizerFolder } from './captionIds.ts';
import { schedulerConfig, side, towerConfig, unetConfig, vaeConfig } from './modelConfig.ts';
import { readPart } from './readPart.ts';
import { writePart } from './writePart.ts';

/** Writes the whole model as it will ship, in f16, to `work/likeness-mini`: the U-Net from `unet`, the rest from the stages before. */
export function writeFolder(work: string, graph: Graph, unet: (name: string) => HostTensor<'f32'>): void {
  const folder = join(work, 'likeness-mini');
  const weights = 'diffusion_pytorch_model.safetensors';
  writePart(join(folder, 'unet'), 'unet', weights, unetConfig, graph, unet, 'f16');
  const text = readPart(join(work, 'text_encoder'), 'model.safetensors');
  const textFolder = join(folder, 'text_encoder');
  writePart(textFolder, 'text_encoder', 'model.safetensors', textFile, graph, text, 'f16');

  const config = parseVaeConfig(vaeConfig, 'modelConfig.ts');
  const scope = Scope.root('vae');
  const { mean, logvar } = vaeEncode(scope, input('image', [1, 3, side, side]), config);
  const vae = { outputs: { logvar, decoded: vaeDecode(scope, mean, config) } };
  writePart(join(folder, 'vae'), 'vae', weights, vaeConfig, vae, readPart(join(work, 'vae')), 'f16');

  const scorer = Scope.root('scorer');
  const towers = {
    outputs: {
      image: latentTower(scorer, mean, towerConfig),
      text: captionProjection(scorer, input('summary', [1, textFile.hidden_size]), towerConfig),
    },
  };
  const scores = readPart(join(work, 'scorer'), 'model.safetensors');
  writePart(join(folder, 'scorer'), 'scorer', 'model.safetensors', towerConfig, towers, scores, 'f16');

  for (const name of ['tokenizer', 'scheduler']) mkdirSync(join(folder, name), { recursive: true });
  for (const name of ['vocab.json', 'merges.txt', 'tokenizer_config.json', 'special_tokens_map.json'])
    copyFileSync(join(tokenizerFolder, name), join(folder, 'tokenizer', name));
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
