import { dirname, join } from 'node:path';
import { LikenessError } from '../../../src-shared/messages/index.ts';
import { parseUNetConfig } from '../models/parseConfig.ts';
import { asRecord, isFile, isFolder, parseJson, readText } from './files.ts';
import { tokenizerFiles } from './modelFolder.ts';
import type { TokenizerFiles } from './model.ts';

/** Keys of our own in a single file's metadata: the configs, so that a model of any shape comes back as it was. */
export const configKeys = {
  unet: 'likeness.unet',
  vae: 'likeness.vae',
  textEncoder: 'likeness.text_encoder',
  scheduler: 'likeness.scheduler',
} as const;

/** What is known of a single file's model beside its weights; configs as texts. */
export interface SavedConfigs {
  readonly unet?: string | undefined;
  readonly vae?: string | undefined;
  readonly textEncoder?: string | undefined;
  readonly scheduler?: Record<string, unknown> | undefined;
  readonly tokenizer?: TokenizerFiles | undefined;
}

/**
 * Configs from the file's own metadata, else from a diffusers folder: the one the file lies in (repositories publish
 * `v1-5-pruned.safetensors` beside `unet/`, `tokenizer/` …) or one of the file's name. A folder counts only if its U-Net has
 * the sizes `inferredUNet` that the file's tensors have.
 */
export function savedConfigs(
  file: string,
  metadata: Readonly<Record<string, string>>,
  inferredUNet: Record<string, unknown>,
): SavedConfigs {
  const folders = [file.replace(/\.\w+$/, ''), dirname(file)];
  const beside = folders.filter((folder) => fits(folder, inferredUNet)).map(configsIn)[0] ?? {};
  const unet = metadata[configKeys.unet];
  if (unet === undefined) return beside;
  const scheduler = metadata[configKeys.scheduler];
  return {
    unet,
    vae: metadata[configKeys.vae],
    textEncoder: metadata[configKeys.textEncoder],
    scheduler:
      scheduler === undefined ? undefined : asRecord(parseJson(scheduler, file, 'its saved scheduler')),
    tokenizer: beside.tokenizer,
  };
}

function configsIn(folder: string): SavedConfigs {
  const read = (...path: string[]) =>
    isFile(join(folder, ...path)) ? readText(join(folder, ...path)) : undefined;
  const scheduler = read('scheduler', 'scheduler_config.json');
  const tokenizer = join(folder, 'tokenizer');
  return {
    unet: read('unet', 'config.json'),
    vae: read('vae', 'config.json'),
    textEncoder: read('text_encoder', 'config.json'),
    scheduler:
      scheduler === undefined ? undefined : asRecord(parseJson(scheduler, join(folder, 'scheduler'))),
    tokenizer: isFolder(tokenizer) ? tokenizerFiles(tokenizer) : undefined,
  };
}

function fits(folder: string, inferred: Record<string, unknown>): boolean {
  const file = join(folder, 'unet', 'config.json');
  if (!isFile(file)) return false;
  try {
    const config = parseUNetConfig(parseJson(readText(file), file), file);
    const keys = [
      'in_channels',
      'block_out_channels',
      'down_block_types',
      'mid_block_type',
      'use_linear_projection',
    ] as const;
    return (
      keys.every((key) => JSON.stringify(config[key]) === JSON.stringify(inferred[key])) &&
      config.cross_attention_dim[0] === inferred['cross_attention_dim']
    );
  } catch (error) {
    if (error instanceof LikenessError) return false;
    throw error;
  }
}
