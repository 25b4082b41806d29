import { problem } from '../../../src-shared/messages/index.ts';
import type { Prediction } from '../../../src-shared/domain/prediction.ts';
import type { ClipTextConfig } from '../models/config.ts';
import { parseClipTextConfig, parseUNetConfig, parseVaeConfig } from '../models/parseConfig.ts';
import { bytesPerElement } from '../tensor/tensor.ts';
import { parseJson } from './files.ts';
import { kindByEnding, kindOfTensors, wholeModel } from './foreign.ts';
import { checkFit } from './modelFolder.ts';
import type { Model, ModelPart } from './model.ts';
import { publishedTextName } from './names/published.ts';
import { renamer } from './names/renamer.ts';
import { inProjParts, openClipNames, partPrefixes, unetNames, vaeNames } from './names/singleFile.ts';
import {
  inferClipConfig,
  inferOpenClipConfig,
  inferUNetConfig,
  inferVaeConfig,
  type Shapes,
} from './singleFileConfig.ts';
import { agreed, predictionOf, typeOf, type KnownPrediction } from './prediction.ts';
import { stridedView } from './otherTypes.ts';
import { savedConfigs } from './savedConfigs.ts';
import { looksLikeWeights, readWeightFile, renamed, type RawTensors } from './weightFiles.ts';
import { Weights, type TensorEntry } from './weights.ts';

/**
 * Opens a single-file checkpoint of the Stable Diffusion 1 or 2 layout, `.safetensors` or `.ckpt`. Configs are taken from
 * our own metadata or from a diffusers folder beside the file where there is one (see `savedConfigs`), else told from the
 * shapes. Errors as `openModel`.
 */
export function openSingleFile(file: string, said?: Prediction): Model {
  if (!looksLikeWeights(file)) throw problem('model.notOne', { file, found: kindByEnding(file) });
  const raw = readWeightFile(file);
  refuseOtherFiles(raw, file);
  const openClip = raw.tensors.has(`${partPrefixes.openClip}token_embedding.weight`);
  const unet = part(raw, partPrefixes.unet);
  const isVersion2 = openClip || hasVersion2UNet(unet.tensors);
  const own = predictionOf(raw, file, isVersion2);
  const inferredUNet = inferUNetConfig(shapesOf(unet), file, own.type === 'v_prediction' ? 96 : 64);
  const saved = savedConfigs(file, raw.metadata, inferredUNet);
  const prediction = saved.scheduler
    ? agreed(file, ofScheduler(saved.scheduler), said)
    : predictionOf(raw, file, isVersion2, said);
  if (saved.unet === undefined && inferredUNet['attention_head_dim'] === null)
    throw problem('model.unclear', { file, what: 'how many attention heads its U-Net has' });
  const vae = part(raw, partPrefixes.vae);
  if (!vae.tensors.has('decoder.conv_in.weight')) throw problem('model.missingPart', { file, part: 'VAE' });
  const clip = openClip
    ? part(raw, partPrefixes.openClip)
    : renamed(part(raw, partPrefixes.clip), publishedTextName);
  if (!openClip && !clip.tensors.has('text_model.embeddings.token_embedding.weight'))
    throw problem('model.missingPart', { file, part: 'text encoder' });
  const inferredClip = (): Record<string, unknown> =>
    openClip ? inferOpenClipConfig(shapesOf(clip), file) : inferClipConfig(shapesOf(clip), file, isVersion2);
  const model: Model = {
    path: file,
    kind: 'single-file',
    unet: openPart(file, saved.unet ?? text(inferredUNet), parseUNetConfig, (config) =>
      renamed(unet, renamer(unetNames(config))),
    ),
    vae: openPart(file, saved.vae ?? text(inferVaeConfig(shapesOf(vae), file)), parseVaeConfig, (config) =>
      flatProjections(renamed(vae, renamer(vaeNames(config)))),
    ),
    textEncoder: openPart(file, saved.textEncoder ?? text(inferredClip()), parseClipTextConfig, (config) =>
      openClip ? openClipTensors(clip, config) : clip,
    ),
    scheduler: saved.scheduler ?? schedulerConfig(prediction.type),
    prediction,
    tokenizer: saved.tokenizer,
  };
  checkFit(model);
  return model;
}

function ofScheduler(scheduler: Record<string, unknown>): KnownPrediction {
  const from = 'its saved scheduler, or that of the folder beside it';
  return { type: typeOf(scheduler), from, assumed: false };
}

function part(raw: RawTensors, prefix: string): RawTensors {
  return renamed(raw, (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : undefined));
}

/** One network: its config, saved or inferred, tells which tensors it has; `named` finds them under diffusers' names. */
function openPart<Config>(
  file: string,
  configText: string,
  parse: (raw: unknown, file: string) => Config,
  named: (config: Config) => RawTensors,
): ModelPart<Config> {
  const config = parse(parseJson(configText, file, 'its saved configuration'), file);
  const { tensors, otherTypes } = named(config);
  return { config, configText, weights: new Weights(file, tensors, otherTypes) };
}

/** LDM writes the projections of the VAE's attention as 1×1 convolutions: the same bytes, without the last two axes. */
function flatProjections(vae: RawTensors): RawTensors {
  const tensors = new Map<string, TensorEntry>();
  for (const [name, entry] of vae.tensors) {
    const isProjection = /\.attentions\.0\.to_\w+(\.0)?\.weight$/.test(name);
    tensors.set(name, isProjection ? { ...entry, shape: entry.shape.slice(0, 2) } : entry);
  }
  return { ...vae, tensors };
}

/** OpenCLIP's tensors under transformers' names, with its joint projections taken apart. */
function openClipTensors(raw: RawTensors, { num_hidden_layers: layers }: ClipTextConfig): RawTensors {
  const named = renamed(raw, renamer(openClipNames(layers)));
  const tensors = new Map(named.tensors);
  for (let layer = 0; layer < layers; layer++)
    for (const kind of ['weight', 'bias']) {
      const joined = raw.tensors.get(`transformer.resblocks.${layer}.attn.in_proj_${kind}`);
      inProjParts.forEach((name, third) => {
        if (joined)
          tensors.set(`text_model.encoder.layers.${layer}.self_attn.${name}.${kind}`, thirdOf(joined, third));
      });
    }
  return { ...named, tensors };
}

/** Version 2's transformers project linearly, and its prompts are 1,024 wide. Its text encoder may have either name. */
export function hasVersion2UNet(tensors: RawTensors['tensors']): boolean {
  return [...tensors].some(
    ([name, { shape }]) =>
      (/\.1\.proj_in\.weight$/.test(name) && shape.length === 2) ||
      (/\.attn2\.to_k\.weight$/.test(name) && shape[1] === 1024),
  );
}

/** q, k and v lie one after the other in the joint tensor: each is a third of its bytes. */
function thirdOf(entry: TensorEntry, third: number): TensorEntry {
  const rows = Math.floor((entry.shape[0] ?? 0) / 3);
  const shape = [rows, ...entry.shape.slice(1)];
  const byteLength = shape.reduce((product, size) => product * size, bytesPerElement[entry.dtype]);
  return { ...entry, shape, offset: entry.offset + third * byteLength, byteLength };
}

/** The schedulers in the folders of Stable Diffusion 1.5 and 2.1. */
function schedulerConfig(prediction: KnownPrediction['type']): Record<string, unknown> {
  return {
    _class_name: prediction === 'v_prediction' ? 'DDIMScheduler' : 'PNDMScheduler',
    beta_schedule: 'scaled_linear',
    beta_start: 0.00085,
    beta_end: 0.012,
    num_train_timesteps: 1000,
    clip_sample: false,
    set_alpha_to_one: false,
    skip_prk_steps: true,
    steps_offset: 1,
    trained_betas: null,
    prediction_type: prediction,
  };
}

function text(config: Record<string, unknown>): string {
  return JSON.stringify(config, null, 2);
}

function shapesOf(raw: RawTensors): Shapes {
  return new Map([...raw.tensors].map(([name, entry]) => [name, entry.shape]));
}

function refuseOtherFiles(raw: RawTensors, file: string): void {
  const found = kindOfTensors([...raw.tensors.keys(), ...raw.otherTypes.keys()]);
  if (found !== undefined && found !== wholeModel) throw problem('model.family', { file, found });
  const first = `${partPrefixes.unet}input_blocks.0.0.weight`;
  if (raw.tensors.has(first)) return;
  const other = raw.otherTypes.get(first);
  if (other && other.dtype.endsWith(stridedView))
    throw problem('weights.unsupported', {
      file,
      why: `the tensor "${first}" is a strided view, as channels_last leaves it`,
    });
  if (other) throw problem('weights.precision', { file, found: other.dtype });
  throw problem('model.notOne', { file });
}
