import { basename, extname } from 'node:path';
import { nameOfPlace } from '../../engine/checkpoints/nameOfPlace.ts';
import { modelSpecOf } from '../../engine/checkpoints/modelspec.ts';
import type { OpenedRun } from './openRun.ts';

/**
 * The metadata by which other tools show a LoRA file and tell what it fits: kohya's `ss_…` keys (sd-scripts' `train_network.py`,
 * read by A1111, Forge and Civitai) and Stability's ModelSpec 1.0, with kohya's spelling of a LoRA's architecture. `title` is the
 * file's name without its ending.
 */
export function loraMetadata(
  { model, subject, size, step }: Pick<OpenedRun, 'model' | 'subject' | 'size' | 'step'>,
  title: string,
): Record<string, string> {
  const { isVersion2, architecture, prediction } = modelSpecOf(model);
  // sd-scripts' names; SDXL's says nothing of what it predicts.
  const version = model.textEncoder2
    ? 'sdxl_base_v1-0'
    : `sd_${isVersion2 ? 'v2' : 'v1'}${prediction === 'v' ? '_v' : ''}`;
  return {
    ss_v2: isVersion2 ? 'True' : 'False',
    ss_base_model_version: version,
    ss_sd_model_name: nameOfPlace(model.path),
    ss_output_name: title,
    ss_resolution: `(${size}, ${size})`,
    ss_steps: String(step),
    'modelspec.sai_model_spec': '1.0.0',
    'modelspec.architecture': `${architecture}/lora`,
    'modelspec.implementation': 'diffusers',
    'modelspec.title': title,
    'modelspec.resolution': `${size}x${size}`,
    'modelspec.prediction_type': prediction,
    ...(subject && {
      // Tags by the folder that kohya would train from, `REPEATS_TOKEN CLASS`: the one thing that every photo shows.
      ss_tag_frequency: JSON.stringify({ [`1_${subject}`]: { [subject]: 1 } }),
      'modelspec.trigger_phrase': subject,
      'modelspec.usage_hint': `Write "${subject}" in the prompt.`,
    }),
  };
}

/** `dog` of `…/dog.safetensors`. */
export const titleOf = (file: string): string => basename(file, extname(file));
