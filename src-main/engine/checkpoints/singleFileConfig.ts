import { problem } from '../../../src-shared/messages/index.ts';
import type { Shape } from '../tensor/tensor.ts';

/** Shapes by LDM name, one part of a single file with its prefix taken off. */
export type Shapes = ReadonlyMap<string, Shape>;

/**
 * Configurations in diffusers' form, told from the shapes in a single-file checkpoint. Shapes can't tell how many heads
 * attention has, so the two families' rules are used: 8 heads everywhere (Stable Diffusion 1), or 64 channels a head where
 * the projections are linear (Stable Diffusion 2). Norms have 32 groups in both.
 */
export function inferUNetConfig(shapes: Shapes, file: string, sampleSize: number): Record<string, unknown> {
  const size = sizeReader(shapes, file);
  const levels = inputLevels(shapes, file);
  const channels = levels.map(({ row }) => size(`input_blocks.${row}.0.out_layers.3.weight`, 0));
  const attending = levels.find((level) => level.attention !== undefined);
  if (!attending) throw problem('model.family', { file, found: 'a U-Net without attention' });
  const attention = attending.attention as string;
  const linear = shapes.get(`${attention}.proj_in.weight`)?.length === 2;
  const down = levels.map((level) => (level.attention ? 'CrossAttnDownBlock2D' : 'DownBlock2D'));
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
    transformer_layers_per_block: evenly(levels.map((level) => transformerDepth(shapes, level))),
    attention_head_dim: linear ? headsOf64(channels) : 8,
    use_linear_projection: linear,
    ...(shapes.has('label_emb.0.0.weight') && { class_embed_type: 'projection' }),
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
  /** The level's first attention module. */
  readonly attention: string | undefined;
}

/** LDM numbers all down layers in one row; a downsampler (`.0.op`) ends a level. */
function inputLevels(shapes: Shapes, file: string): Level[] {
  const levels: Level[] = [];
  let first = 1;
  for (let row = 1; ; row++) {
    if (shapes.has(`input_blocks.${row}.0.in_layers.0.weight`)) continue;
    if (row > first) {
      const attention = `input_blocks.${first}.1`;
      const attends = shapes.has(`${attention}.proj_in.weight`);
      levels.push({ row: first, layers: row - first, attention: attends ? attention : undefined });
    }
    if (!shapes.has(`input_blocks.${row}.0.op.weight`)) break;
    first = row + 1;
  }
  if (!levels.length)
    throw problem('weights.none', { file, expected: 'the U-Net of a single-file checkpoint' });
  return levels;
}

/** diffusers takes the middle block's depth from the last level, which has no attention of its own. */
function transformerDepth(shapes: Shapes, { attention = 'middle_block.1' }: Level): number {
  return shapes.has(`${attention}.proj_in.weight`)
    ? countFrom(0, (i) => shapes.has(`${attention}.transformer_blocks.${i}.norm1.weight`))
    : 1;
}

/** One number where all are the same, as diffusers' converters expect it. */
function evenly(counts: readonly number[]): number | readonly number[] {
  const [first] = counts;
  return first !== undefined && counts.every((count) => count === first) ? first : counts;
}

export function inferVaeConfig(shapes: Shapes, file: string): Record<string, unknown> {
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
    sample_size: 512,
    scaling_factor: 0.18215,
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
 * and by diffusers' loader; converters write 23 layers or all 24.
 */
export function inferOpenClipConfig(shapes: Shapes, file: string): Record<string, unknown> {
  const size = sizeReader(shapes, file);
  const layers = countFrom(0, (i) => shapes.has(`transformer.resblocks.${i}.ln_1.weight`));
  return clipConfig(file, size('token_embedding.weight', 1), {
    vocab_size: size('token_embedding.weight', 0),
    max_position_embeddings: size('positional_embedding', 0),
    intermediate_size: size('transformer.resblocks.0.mlp.c_fc.weight', 0),
    num_hidden_layers: layers === 24 ? 23 : layers,
    hidden_act: 'gelu',
  });
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
