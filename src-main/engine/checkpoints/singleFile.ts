import { problem } from '../../../src-shared/messages/index.ts';
import type { Prediction } from '../../../src-shared/domain/prediction.ts';
import { parseUNetConfig, parseVaeConfig } from '../models/parseConfig.ts';
import { kindByEnding, kindOfTensors, wholeModel } from './foreign.ts';
import { checkFit } from './modelFolder.ts';
import type { Model } from './model.ts';
import { renamer } from './names/renamer.ts';
import { partPrefixes, unetNames, vaeNames } from './names/singleFile.ts';
import { inferUNetConfig, inferVaeConfig, pooledWidthOf } from './singleFileConfig.ts';
import { openPart, part, shapesOf, text } from './singleFileParts.ts';
import { openTextEncoders } from './singleFileText.ts';
import { agreed, predictionOf, typeOf, type KnownPrediction, type Layout } from './prediction.ts';
import { stridedView } from './otherTypes.ts';
import { savedConfigs } from './savedConfigs.ts';
import { looksLikeWeights, readWeightFile, renamed, type RawTensors } from './weightFiles.ts';
import type { FileTensor } from '../tensor/tensor.ts';

/**
 * Opens a single-file checkpoint of the Stable Diffusion 1, 2 or XL layout, `.safetensors` or `.ckpt`. Configs are taken from
 * our own metadata or from a diffusers folder beside the file where there is one (see `savedConfigs`), else told from the
 * shapes. Errors as `openModel`.
 */
export function openSingleFile(file: string, said?: Prediction): Model {
  if (!looksLikeWeights(file)) throw problem('model.notOne', { file, found: kindByEnding(file) });
  const raw = readWeightFile(file);
  refuseOtherFiles(raw, file);
  const unet = part(raw, partPrefixes.unet);
  const isXl = [...raw.tensors.keys()].some((name) => name.startsWith('conditioner.'));
  const hasOpenClip = raw.tensors.has(`${partPrefixes.openClip}token_embedding.weight`);
  const isVersion2 = !isXl && (hasOpenClip || hasVersion2UNet(unet.tensors));
  const layout = isXl ? 'xl' : isVersion2 ? 'v2' : 'v1';
  const own = predictionOf(raw, file, layout);
  const second = part(raw, partPrefixes.xlOpenClip);
  if (isXl && !second.tensors.has('token_embedding.weight'))
    throw problem('model.missingPart', { file, part: 'second text encoder' });
  const inferredUNet = inferUNetConfig(shapesOf(unet), file, {
    sampleSize: isXl ? 128 : own.type === 'v_prediction' ? 96 : 64,
    ...(isXl && { pooledWidth: pooledWidthOf(shapesOf(second), file) }),
  });
  const saved = savedConfigs(file, raw.metadata, inferredUNet);
  const prediction = saved.scheduler
    ? agreed(file, ofScheduler(saved.scheduler), said)
    : predictionOf(raw, file, layout, said);
  if (saved.unet === undefined && inferredUNet['attention_head_dim'] === null)
    throw problem('model.unclear', { file, what: 'how many attention heads its U-Net has' });
  const vae = part(raw, partPrefixes.vae);
  if (!vae.tensors.has('decoder.conv_in.weight')) throw problem('model.missingPart', { file, part: 'VAE' });
  const model: Model = {
    path: file,
    kind: 'single-file',
    unet: openPart(file, saved.unet ?? text(inferredUNet), parseUNetConfig, (config) =>
      renamed(unet, renamer(unetNames(config))),
    ),
    vae: openPart(
      file,
      saved.vae ?? text(inferVaeConfig(shapesOf(vae), file, isXl)),
      parseVaeConfig,
      (config) => flatProjections(renamed(vae, renamer(vaeNames(config)))),
    ),
    ...openTextEncoders(file, raw, saved, { isVersion2, isXl }),
    scheduler: saved.scheduler ?? schedulerConfig(prediction.type, layout, raw),
    prediction,
    tokenizer: saved.tokenizer,
    ...(isXl && { tokenizer2: saved.tokenizer2, zeroNegative: saved.zeroNegative ?? true }),
  };
  checkFit(model);
  return model;
}

function ofScheduler(scheduler: Record<string, unknown>): KnownPrediction {
  const from = 'its saved scheduler, or that of the folder beside it';
  return { type: typeOf(scheduler), from, assumed: false };
}

/** LDM writes the projections of the VAE's attention as 1×1 convolutions: the same bytes, without the last two axes. */
function flatProjections(vae: RawTensors): RawTensors {
  const tensors = new Map<string, FileTensor>();
  for (const [name, entry] of vae.tensors) {
    const isProjection = /\.attentions\.0\.to_\w+(\.0)?\.weight$/.test(name);
    tensors.set(name, isProjection ? { ...entry, shape: entry.shape.slice(0, 2) } : entry);
  }
  return { ...vae, tensors };
}

/** Version 2's transformers project linearly, and its prompts are 1,024 wide. Its text encoder may have either name. */
export function hasVersion2UNet(tensors: RawTensors['tensors']): boolean {
  return [...tensors].some(
    ([name, { shape }]) =>
      (/\.1\.proj_in\.weight$/.test(name) && shape.length === 2) ||
      (/\.attn2\.to_k\.weight$/.test(name) && shape[1] === 1024),
  );
}

/**
 * The schedulers in the folders of Stable Diffusion 1.5, 2.1 and XL. A `ztsnr` tensor says that SDXL was trained up to pure noise, as those
 * that predict velocity are; diffusers' `rescale_betas_zero_snr` draws from there.
 */
function schedulerConfig(
  prediction: KnownPrediction['type'],
  layout: Layout,
  { tensors, otherTypes }: RawTensors,
): Record<string, unknown> {
  const isXl = layout === 'xl';
  const velocity = prediction === 'v_prediction';
  const fromPureNoise = isXl && (tensors.has('ztsnr') || otherTypes.has('ztsnr'));
  return {
    _class_name: isXl ? 'EulerDiscreteScheduler' : velocity ? 'DDIMScheduler' : 'PNDMScheduler',
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
    ...(isXl && { timestep_spacing: 'leading', interpolation_type: 'linear', use_karras_sigmas: false }),
    ...(fromPureNoise && { rescale_betas_zero_snr: true, timestep_spacing: 'trailing' }),
  };
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
