import * as z from 'zod';
import { problem } from '../../../src-shared/messages/index.ts';
import type { ClipVisionConfig } from './clipVision.ts';
import type { ClipTextConfig } from './config.ts';
import { invalid, object, parse, parseClipTextConfig } from './parseConfig.ts';
import type { VitConfig } from './vit.ts';

const size = z
  .int()
  .min(1)
  .max(1 << 16);
const layers = z.int().min(1).max(256);
const side = z.union([size, z.tuple([size, size])]);
const both = (value: z.infer<typeof side>): readonly [number, number] =>
  typeof value === 'number' ? [value, value] : value;

const clipVisionFields = z.object({
  hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  num_hidden_layers: layers.default(12),
  num_attention_heads: size.default(12),
  num_channels: size.default(3),
  image_size: size.default(224),
  patch_size: size.default(32),
  hidden_act: z.enum(['quick_gelu', 'gelu']).default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
});

export interface ClipConfig {
  readonly text: ClipTextConfig;
  readonly vision: ClipVisionConfig;
  readonly projection_dim: number;
}

/** Reads the `config.json` of transformers' `CLIPModel`. Errors: `config.invalid`, `scorer.notOne`. */
export function parseClipConfig(raw: unknown, file: string): ClipConfig {
  const keys = object(raw, file);
  if ((keys['model_type'] ?? 'clip') !== 'clip' || !('text_config' in keys || 'text_config_dict' in keys))
    throw problem('scorer.notOne', { file, wanted: 'a whole CLIP model (text and vision towers)' });
  // The older key wins where both are there, as in transformers.
  const tower = (name: string): Record<string, unknown> =>
    object(keys[`${name}_dict`] ?? keys[name] ?? {}, file);
  const vision = parse(clipVisionFields, tower('vision_config'), file);
  checkHeads(vision, file);
  if (vision.image_size < vision.patch_size)
    throw invalid(file, `patches of ${vision.patch_size} pixels are larger than the picture`);
  const { model_type: _, ...text } = tower('text_config');
  return {
    text: parseClipTextConfig({ text_config: text }, file),
    vision,
    ...parse(z.object({ projection_dim: size.default(512) }), keys, file),
  };
}

const vitFields = z.object({
  hidden_size: size.default(768),
  intermediate_size: size.optional(),
  mlp_ratio: z.number().positive().default(4),
  num_hidden_layers: layers.default(12),
  num_attention_heads: size.default(12),
  hidden_act: z.enum(['gelu', 'quick_gelu', 'relu']).default('gelu'),
  layer_norm_eps: z.number().positive().optional(),
  image_size: side.default(224),
  patch_size: side.optional(),
  num_channels: size.default(3),
  qkv_bias: z.boolean().default(true),
  use_swiglu_ffn: z.boolean().default(false),
});

/** Reads the `config.json` of transformers' `ViTModel` or `Dinov2Model`. Errors: `config.invalid`, `scorer.notOne`. */
export function parseVitConfig(raw: unknown, file: string): VitConfig {
  const keys = object(raw, file);
  const model_type = keys['model_type'] ?? 'vit';
  if (model_type !== 'vit' && model_type !== 'dinov2')
    throw problem('scorer.notOne', { file, wanted: 'a Vision Transformer such as DINO or DINOv2' });
  const { mlp_ratio, intermediate_size, ...fields } = parse(vitFields, keys, file);
  const isVit = model_type === 'vit';
  checkHeads(fields, file);
  return {
    ...fields,
    model_type,
    intermediate_size: isVit ? (intermediate_size ?? 3072) : Math.trunc(fields.hidden_size * mlp_ratio),
    layer_norm_eps: fields.layer_norm_eps ?? (isVit ? 1e-12 : 1e-6),
    image_size: both(fields.image_size),
    patch_size: both(fields.patch_size ?? (isVit ? 16 : 14)),
  };
}

function checkHeads(config: { hidden_size: number; num_attention_heads: number }, file: string): void {
  const { hidden_size: width, num_attention_heads: heads } = config;
  if (width % heads) throw invalid(file, `hidden_size ${width} doesn't divide into ${heads} heads`);
}
