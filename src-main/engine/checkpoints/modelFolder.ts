import { join } from 'node:path';
import type { Prediction } from '../../../src-shared/domain/prediction.ts';
import { nameOf, problem } from '../../../src-shared/messages/index.ts';
import { seesMasks } from '../models/config.ts';
import { contextWidth } from '../models/textEncoders.ts';
import { parseClipTextConfig, parseUNetConfig, parseVaeConfig } from '../models/parseConfig.ts';
import {
  asRecord,
  isFile,
  isFolder,
  parseJson,
  readJson,
  readJsonIfThere,
  readText,
  withFile,
} from './files.ts';
import { insteadOfFile } from './insteadOfFile.ts';
import { modelInstead } from './foreign.ts';
import type { Model, ModelPart, TokenizerFiles } from './model.ts';
import { agreed, typeOf } from './prediction.ts';
import { publishedTextName, publishedVaeName } from './names/published.ts';
import { readWeightFolder, renamed } from './weightFiles.ts';
import { Weights } from './weights.ts';

/** Pipelines whose folders hold a text-to-image model. */
const pipelines = [
  'StableDiffusionPipeline',
  'StableDiffusionImg2ImgPipeline',
  'StableDiffusionInpaintPipeline',
  'StableDiffusionPipelineSafe',
  'StableDiffusionXLPipeline',
  'StableDiffusionXLImg2ImgPipeline',
  'StableDiffusionXLInpaintPipeline',
];

/** Opens a diffusers folder; `model_index.json` may be absent. Errors as `openModel`. */
export function openModelFolder(folder: string, said?: Prediction): Model {
  if (!isFolder(join(folder, 'unet'))) refuseOtherFolder(folder);
  refuseOtherPipeline(folder);
  refuseRefiner(folder);
  for (const part of ['vae', 'text_encoder', 'tokenizer', 'scheduler'])
    if (!isFolder(join(folder, part)))
      throw problem('model.missingPart', { file: folder, part: `${part} folder` });
  const model: Model = {
    path: folder,
    kind: 'diffusers',
    unet: openPart(join(folder, 'unet'), parseUNetConfig, (name) => name),
    vae: openPart(join(folder, 'vae'), parseVaeConfig, publishedVaeName),
    textEncoder: openPart(join(folder, 'text_encoder'), parseClipTextConfig, publishedTextName),
    scheduler: schedulerOf(join(folder, 'scheduler', 'scheduler_config.json'), said),
    tokenizer: tokenizerFiles(join(folder, 'tokenizer')),
  };
  const whole = model.unet.config.addition ? withSecondEncoder(model) : model;
  checkFit(whole);
  return whole;
}

/** What SDXL has beside the parts of other models. Errors: `model.missingPart`, `config.invalid`. */
function withSecondEncoder(model: Model): Model {
  const folder = model.path;
  for (const part of ['text_encoder_2', 'tokenizer_2'])
    if (!isFolder(join(folder, part)))
      throw problem('model.missingPart', { file: folder, part: `${part} folder` });
  const index = asRecord(readJsonIfThere(join(folder, 'model_index.json')));
  return {
    ...model,
    textEncoder2: openPart(join(folder, 'text_encoder_2'), parseClipTextConfig, publishedTextName),
    tokenizer2: tokenizerFiles(join(folder, 'tokenizer_2')),
    zeroNegative: index['force_zeros_for_empty_prompt'] !== false,
  };
}

/** The U-Net of a model's folder, or a folder that is one. Errors as `openModel`. */
export function openUnetFolder(folder: string): Model['unet'] {
  if (!isFolder(folder)) throw problem('file.missing', { file: folder });
  const inside = join(folder, 'unet');
  return openPart(isFolder(inside) ? inside : folder, parseUNetConfig, (name) => name);
}

/** The parts of one model must fit each other. Errors: `config.invalid`. */
export function checkFit(model: Model): void {
  const why = misfit(model);
  if (why !== undefined) throw problem('config.invalid', { file: model.path, why });
}

/** What of a model's networks does not fit together, as a part of a sentence. */
export function misfit(model: Model): string | undefined {
  const { unet, vae, textEncoder2 } = model;
  const width = contextWidth(model);
  if (unet.config.cross_attention_dim.some((dim) => dim !== width))
    return `the U-Net wants prompts ${unet.config.cross_attention_dim[0]} wide, the text encoder's are ${width}`;
  const tokens = [model.textEncoder, textEncoder2].flatMap(
    (part) => part?.config.max_position_embeddings ?? [],
  );
  if (new Set(tokens).size > 1) return `its text encoders read ${tokens.join(' and ')} tokens`;
  const [wanted, given] = [unet.config.addition?.textWidth, textEncoder2?.config.projection_dim];
  if (wanted !== given)
    return `the U-Net wants ${wanted ?? 'no'} numbers of the whole prompt, the text encoders give ${given ?? 'none'}`;
  const { in_channels, out_channels } = unet.config;
  const fits = in_channels === out_channels || seesMasks(unet.config);
  if (!fits || out_channels !== vae.config.latent_channels)
    return `the U-Net's latents have ${in_channels} channels, the VAE's ${vae.config.latent_channels}`;
  return undefined;
}

function openPart<Config>(
  folder: string,
  parse: (raw: unknown, file: string) => Config,
  rename: (name: string) => string | undefined,
): ModelPart<Config> {
  const file = join(folder, 'config.json');
  const configText = readText(file);
  const raw = parseJson(configText, file);
  refuseQuantized(raw, folder);
  const config = parse(raw, file);
  const { tensors, otherTypes } = renamed(readWeightFolder(folder), rename);
  return { config, configText, weights: new Weights(folder, tensors, otherTypes) };
}

/** Weights that bitsandbytes, GGUF, torchao and others have packed lie there under names of their own. Errors: `weights.precision`. */
function refuseQuantized(raw: unknown, folder: string): void {
  const quantization = asRecord(raw)['quantization_config'];
  if (typeof quantization !== 'object' || quantization === null) return;
  const method = asRecord(quantization)['quant_method'];
  const by = method === undefined ? '' : ` by ${nameOf(method)}`;
  throw problem('weights.precision', { file: folder, found: `numbers of a few bits, packed${by}` });
}

/** Errors: `model.predicts` where the file says otherwise, `config.invalid`. */
function schedulerOf(file: string, said: Prediction | undefined): Record<string, unknown> {
  const scheduler = readObject(file);
  if (said === undefined) return scheduler;
  if (scheduler['prediction_type'] === undefined) return { ...scheduler, prediction_type: said };
  agreed(file, { type: typeOf(scheduler), from: 'prediction_type' }, said);
  return scheduler;
}

function startOf(path: string): string {
  return withFile(path, (file) => new TextDecoder().decode(file.bytes(0, Math.min(file.size, 2000))));
}

function readObject(file: string): Record<string, unknown> {
  const raw = readJson(file);
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw problem('config.invalid', { file, why: 'it is not a JSON object' });
  return raw as Record<string, unknown>;
}

/** Errors: `model.missingPart`, `tokenizer.invalid`. */
export function tokenizerFiles(folder: string): TokenizerFiles {
  const file = (name: string) => (isFile(join(folder, name)) ? join(folder, name) : undefined);
  const files = {
    vocabFile: file('vocab.json'),
    mergesFile: file('merges.txt'),
    tokenizerFile: file('tokenizer.json'),
  };
  if (!files.tokenizerFile && !(files.vocabFile && files.mergesFile))
    throw problem('model.missingPart', { file: folder, part: 'vocab.json and merges.txt' });
  for (const path of Object.values(files)) {
    const instead = path === undefined ? undefined : insteadOfFile(startOf(path));
    if (path !== undefined && instead !== undefined)
      throw problem('tokenizer.invalid', { file: path, why: `it is ${instead}` });
  }
  return {
    folder,
    ...files,
    config: asRecord(readJsonIfThere(join(folder, 'tokenizer_config.json'))),
    specialTokens: asRecord(readJsonIfThere(join(folder, 'special_tokens_map.json'))),
  };
}

/** The pipeline's name in `model_index.json`, if it says one of ours. Errors: `model.family`. */
function refuseOtherPipeline(folder: string): string | undefined {
  const pipeline = asRecord(readJsonIfThere(join(folder, 'model_index.json')))['_class_name'];
  if (pipeline === undefined) return undefined;
  if (!pipelines.includes(nameOf(pipeline)))
    throw problem('model.family', { file: folder, found: `a ${nameOf(pipeline)}` });
  return nameOf(pipeline);
}

/** SDXL's refiner has only the second text encoder. Errors: `model.family`. */
function refuseRefiner(folder: string): void {
  if (isFolder(join(folder, 'text_encoder_2')) && !isFolder(join(folder, 'text_encoder')))
    throw problem('model.family', {
      file: folder,
      found: "SDXL's refiner, which only reworks another model's pictures",
    });
}

function refuseOtherFolder(folder: string): never {
  if (refuseOtherPipeline(folder)) throw problem('model.missingPart', { file: folder, part: 'unet folder' });
  throw problem('model.notOne', { file: folder, ...modelInstead(folder) });
}
