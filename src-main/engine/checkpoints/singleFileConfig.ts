import { problem } from '../../../src-shared/messages/index.ts';
import { sizeInputs } from '../models/config.ts';
import type { Shape } from '../tensor/tensor.ts';

/** Shapes by LDM name, one part of a single file with its prefix taken off. */
export type Shapes = ReadonlyMap<string, Shape>;

/** What tells the U-Nets of the families apart, beside their shapes. */
export interface UNetHints {
  /** Latent side. */
  readonly sampleSize: number;
  /** Of SDXL's family: numbers of the pooled prompt. */
  readonly pooledWidth?: number | undefined;
}

/**
 * Configurations in diffusers' form, told from the shapes in a single-file checkpoint. Shapes can't tell how many heads
 * attention has, so the families' rules are used: 8 heads everywhere (Stable Diffusion 1), or 64 channels a head where
 * the projections are linear (Stable Diffusion 2 and XL). Norms have 32 groups in all of them.
 */
export function inferUNetConfig(
  shapes: Shapes,
  file: string,
  { sampleSize, pooledWidth }: UNetHints,
): Record<string, unknown> {
  const size = sizeReader(shapes, file);
  const levels = inputLevels(shapes, file);
  const channels = levels.map(({ row }) => size(`input_blocks.${row}.0.out_layers.3.weight`, 0));
  const attending = levels.find(({ row }) => shapes.has(`input_blocks.${row}.1.proj_in.weight`));
  if (!attending) throw problem('model.family', { file, found: 'a U-Net without attention' });
  const attention = `input_blocks.${attending.row}.1`;
  const linear = shapes.get(`${attention}.proj_in.weight`)?.length === 2;
  const down = levels.map(({ row }) =>
    shapes.has(`input_blocks.${row}.1.proj_in.weight`) ? 'CrossAttnDownBlock2D' : 'DownBlock2D',
  );
  return {
    _class_name: 'UNet2DConditionModel',
    sample_size: sampleSize,
    in_channels: size('input_blocks.0.0.weight', 1),
    out_channels: size('out.2.weight', 0),
    down_block_types: down,
    mid_block_type: shapes.has('middle_block.1.proj_in.weight')
      ? 'UNetMidBlock2DCrossAttn'
      : shapes.has('middle_block.0.in_layers.0.weight')
        ? 'UNetMidBlock2D'
        : null,
    up_block_types: down.map((type) => type.replace('Down', 'Up')).reverse(),
    block_out_channels: channels,
    layers_per_block: evenly(levels.map((level) => level.layers)),
    cross_attention_dim: size(`${attention}.transformer_blocks.0.attn2.to_k.weight`, 1),
    ...transformerDepths(shapes, levels),
    attention_head_dim: linear ? headsOf64(channels) : 8,
    use_linear_projection: linear,
    ...addedEmbedding(shapes, pooledWidth),
  };
}

/** Of SDXL's: the width of what is added is that of the pooled prompt and of six sizes. Version 2's unCLIP adds a picture's embedding. */
function addedEmbedding(shapes: Shapes, pooledWidth: number | undefined): Record<string, unknown> {
  const width = shapes.get('label_emb.0.0.weight')?.[1];
  if (width === undefined) return {};
  if (pooledWidth === undefined) return { class_embed_type: 'projection' };
  return {
    addition_embed_type: 'text_time',
    addition_time_embed_dim: Math.floor((width - pooledWidth) / sizeInputs),
    projection_class_embeddings_input_dim: width,
  };
}

/** Null where channels don't divide into heads: a model of other sizes, which only its config knows. */
function headsOf64(channels: readonly number[]): readonly number[] | null {
  return channels.every((count) => count % 64 === 0) ? channels.map((count) => count / 64) : null;
}

interface Level {
  /** The level's first resnet, `input_blocks.ROW.0`. */
  readonly row: number;
  readonly layers: number;
}

/** LDM numbers all down layers in one row; a downsampler (`.0.op`) ends a level. */
function inputLevels(shapes: Shapes, file: string): Level[] {
  const levels: Level[] = [];
  let first = 1;
  for (let row = 1; ; row++) {
    if (shapes.has(`input_blocks.${row}.0.in_layers.0.weight`)) continue;
    if (row > first) levels.push({ row: first, layers: row - first });
    if (!shapes.has(`input_blocks.${row}.0.op.weight`)) break;
    first = row + 1;
  }
  if (!levels.length)
    throw problem('weights.none', { file, expected: 'the U-Net of a single-file checkpoint' });
  return levels;
}

/**
 * Transformer blocks of each attention: a number for a level where all of its are alike. SSD-1B and Vega lost some on the way up alone,
 * which diffusers has a list of its own for.
 */
function transformerDepths(shapes: Shapes, levels: readonly Level[]): Record<string, unknown> {
  const depthOf = (attention: string): number =>
    countFrom(0, (i) => shapes.has(`${attention}.transformer_blocks.${i}.norm1.weight`));
  // diffusers takes the middle block's depth from the last level, which may have no attention of its own.
  const middle = Math.max(1, depthOf('middle_block.1'));
  const last = levels.length - 1;
  const down = levels.map(({ row, layers }, level) => {
    const depths = Array.from({ length: layers }, (_, layer) => depthOf(`input_blocks.${row + layer}.1`));
    return depths.some((depth) => depth > 0) ? evenly(depths) : level === last ? middle : 1;
  });
  let row = 0;
  const up = [...levels].reverse().map(({ layers }, level) => {
    const depths = Array.from({ length: layers + 1 }, () => depthOf(`output_blocks.${row++}.1`));
    return depths.some((depth) => depth > 0) ? evenly(depths) : (down[last - level] as number);
  });
  const mirrored = JSON.stringify([...down].reverse()) === JSON.stringify(up);
  return mirrored && down.every(isNumber)
    ? { transformer_layers_per_block: evenly(down) }
    : { transformer_layers_per_block: down, reverse_transformer_layers_per_block: up };
}

const isNumber = (depth: unknown): depth is number => typeof depth === 'number';

/** One number where all are the same, as diffusers' converters expect it. */
function evenly(counts: readonly number[]): number | readonly number[] {
  const [first] = counts;
  return first !== undefined && counts.every((count) => count === first) ? first : counts;
}

/** Shapes can't tell what latents are multiplied by: SDXL's VAE has a number of its own, and overflows in 16 bits. */
export function inferVaeConfig(shapes: Shapes, file: string, isXl = false): Record<string, unknown> {
  const size = sizeReader(shapes, file);
  const depth = countFrom(0, (i) => shapes.has(`encoder.down.${i}.block.0.conv1.weight`));
  const channels = Array.from({ length: depth }, (_, i) => size(`encoder.down.${i}.block.0.conv1.weight`, 0));
  return {
    _class_name: 'AutoencoderKL',
    in_channels: size('encoder.conv_in.weight', 1),
    out_channels: size('decoder.conv_out.weight', 0),
    latent_channels: size('decoder.conv_in.weight', 1),
    down_block_types: channels.map(() => 'DownEncoderBlock2D'),
    up_block_types: channels.map(() => 'UpDecoderBlock2D'),
    block_out_channels: channels,
    layers_per_block: countFrom(0, (i) => shapes.has(`encoder.down.0.block.${i}.conv1.weight`)),
    sample_size: isXl ? 1024 : 512,
    scaling_factor: isXl ? 0.13025 : 0.18215,
    ...(isXl && { force_upcast: true }),
    mid_block_add_attention: shapes.has('encoder.mid.attn_1.q.weight'),
    use_quant_conv: shapes.has('quant_conv.weight'),
    use_post_quant_conv: shapes.has('post_quant_conv.weight'),
  };
}

/** OpenAI's CLIP, or version 2's OpenCLIP, under transformers' names. Heads are 64 wide in every CLIP text encoder. */
export function inferClipConfig(shapes: Shapes, file: string, isVersion2 = false): Record<string, unknown> {
  const size = sizeReader(shapes, file);
  const width = size('text_model.embeddings.token_embedding.weight', 1);
  return clipConfig(file, width, {
    vocab_size: size('text_model.embeddings.token_embedding.weight', 0),
    max_position_embeddings: size('text_model.embeddings.position_embedding.weight', 0),
    intermediate_size: size('text_model.encoder.layers.0.mlp.fc1.weight', 0),
    num_hidden_layers: countFrom(0, (i) => shapes.has(`text_model.encoder.layers.${i}.layer_norm1.weight`)),
    hidden_act: isVersion2 ? 'gelu' : 'quick_gelu',
  });
}

/**
 * OpenCLIP. Stable Diffusion 2 takes the last layer but one, so the last of its 24 is left out, as in its diffusers folder
 * and by diffusers' loader; converters write 23 layers or all 24. SDXL's, which has a projection, takes the pooled prompt from the last.
 */
export function inferOpenClipConfig(
  shapes: Shapes,
  file: string,
  { pooled = false } = {},
): Record<string, unknown> {
  const size = sizeReader(shapes, file);
  const layers = countFrom(0, (i) => shapes.has(`transformer.resblocks.${i}.ln_1.weight`));
  return clipConfig(file, size('token_embedding.weight', 1), {
    vocab_size: size('token_embedding.weight', 0),
    max_position_embeddings: size('positional_embedding', 0),
    intermediate_size: size('transformer.resblocks.0.mlp.c_fc.weight', 0),
    num_hidden_layers: layers === 24 && !pooled ? 23 : layers,
    hidden_act: 'gelu',
    ...(pooled && {
      ...{ architectures: ['CLIPTextModelWithProjection'], projection_dim: pooledWidthOf(shapes, file) },
      // As published; 2 means that the greatest token ends a prompt.
      ...{ bos_token_id: 0, eos_token_id: 2, pad_token_id: 1 },
    }),
  });
}

/** Numbers of SDXL's pooled prompt: OpenCLIP's projection is [width, numbers], under transformers' name the other way around. */
export function pooledWidthOf(shapes: Shapes, file: string): number {
  const turned = shapes.get('text_projection.weight')?.[0];
  return turned ?? sizeReader(shapes, file)('text_projection', 1);
}

function clipConfig(file: string, width: number, rest: Record<string, unknown>): Record<string, unknown> {
  if (width % 64)
    throw problem('model.unclear', { file, what: 'how many attention heads its text encoder has' });
  return {
    architectures: ['CLIPTextModel'],
    model_type: 'clip_text_model',
    hidden_size: width,
    num_attention_heads: width / 64,
    ...rest,
  };
}

function sizeReader(shapes: Shapes, file: string) {
  return (tensor: string, axis: number): number => {
    const size = shapes.get(tensor)?.[axis];
    if (size === undefined)
      throw problem('tensor.missing', { file, tensor, expected: 'part of every such model' });
    return size;
  };
}

/** How many numbers from `start` on, without a gap, pass. */
function countFrom(start: number, passes: (i: number) => boolean): number {
  let i = start;
  while (passes(i)) i++;
  return i - start;
}
