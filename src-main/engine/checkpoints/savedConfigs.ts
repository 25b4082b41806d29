import { dirname, join } from 'node:path';
import { LikenessError } from '../../../src-shared/messages/index.ts';
import type { UNetConfig } from '../models/config.ts';
import { parseUNetConfig } from '../models/parseConfig.ts';
import { asRecord, isFile, isFolder, parseJson, readJsonIfThere, readText } from './files.ts';
import { tokenizerFiles } from './modelFolder.ts';
import type { TokenizerFiles } from './model.ts';

/** Keys of our own in a single file's metadata: the configs, so that a model of any shape comes back as it was. */
export const configKeys = {
  unet: 'likeness.unet',
  vae: 'likeness.vae',
  textEncoder: 'likeness.text_encoder',
  textEncoder2: 'likeness.text_encoder_2',
  /** What `model_index.json` says beside the networks: `force_zeros_for_empty_prompt`. */
  zeroNegative: 'likeness.force_zeros_for_empty_prompt',
  scheduler: 'likeness.scheduler',
} as const;

/** What is known of a single file's model beside its weights; configs as texts. */
export interface SavedConfigs {
  readonly unet?: string | undefined;
  readonly vae?: string | undefined;
  readonly textEncoder?: string | undefined;
  readonly textEncoder2?: string | undefined;
  readonly zeroNegative?: boolean | undefined;
  readonly scheduler?: Record<string, unknown> | undefined;
  readonly tokenizer?: TokenizerFiles | undefined;
  readonly tokenizer2?: TokenizerFiles | undefined;
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
    textEncoder2: metadata[configKeys.textEncoder2],
    zeroNegative: metadata[configKeys.zeroNegative] !== 'false',
    scheduler:
      scheduler === undefined ? undefined : asRecord(parseJson(scheduler, file, 'its saved scheduler')),
    tokenizer: beside.tokenizer,
    tokenizer2: beside.tokenizer2,
  };
}

function configsIn(folder: string): SavedConfigs {
  const read = (...path: string[]) =>
    isFile(join(folder, ...path)) ? readText(join(folder, ...path)) : undefined;
  const scheduler = read('scheduler', 'scheduler_config.json');
  const tokenizerIn = (name: string) =>
    isFolder(join(folder, name)) ? tokenizerFiles(join(folder, name)) : undefined;
  const index = asRecord(readJsonIfThere(join(folder, 'model_index.json')));
  return {
    unet: read('unet', 'config.json'),
    vae: read('vae', 'config.json'),
    textEncoder: read('text_encoder', 'config.json'),
    textEncoder2: read('text_encoder_2', 'config.json'),
    zeroNegative: index['force_zeros_for_empty_prompt'] !== false,
    scheduler:
      scheduler === undefined ? undefined : asRecord(parseJson(scheduler, join(folder, 'scheduler'))),
    tokenizer: tokenizerIn('tokenizer'),
    tokenizer2: tokenizerIn('tokenizer_2'),
  };
}

function fits(folder: string, inferred: Record<string, unknown>): boolean {
  const file = join(folder, 'unet', 'config.json');
  if (!isFile(file)) return false;
  try {
    const config = parseUNetConfig(parseJson(readText(file), file), file);
    const { num_attention_heads: attention_head_dim, norm_num_groups } = config;
    const told = parseUNetConfig({ ...inferred, attention_head_dim, norm_num_groups }, file);
    const keys = [
      'in_channels',
      'block_out_channels',
      'down_block_types',
      'mid_block_type',
      'use_linear_projection',
      'cross_attention_dim',
      'layers_per_block',
    ] as const;
    return (
      keys.every((key) => JSON.stringify(config[key]) === JSON.stringify(told[key])) &&
      depthsThatCount(config) === depthsThatCount(told)
    );
  } catch (error) {
    if (error instanceof LikenessError) return false;
    throw error;
  }
}

/** Of blocks without attention, the depth says nothing. */
function depthsThatCount({
  down_block_types: down,
  up_block_types: up,
  transformer_layers_per_block: downDepths,
  reverse_transformer_layers_per_block: upDepths,
}: UNetConfig): string {
  const attending = <T>(types: readonly string[], depths: readonly T[]): T[] =>
    depths.filter((_, block) => types[block]?.startsWith('CrossAttn'));
  return JSON.stringify([attending(down, downDepths), attending(up, upDepths)]);
}
