import type { UNetConfig, VaeConfig } from '../../models/config.ts';
import type { NamePair } from './renamer.ts';

/**
 * Names in single-file checkpoints (the layout of CompVis/latent-diffusion, `ldm/modules/diffusionmodules/openaimodel.py`
 * and `model.py`) beside diffusers' names, as diffusers' `loaders/single_file_utils.py` pairs them.
 */
export const partPrefixes = {
  unet: 'model.diffusion_model.',
  vae: 'first_stage_model.',
  /** Stable Diffusion 1: OpenAI's CLIP, with transformers' names. */
  clip: 'cond_stage_model.transformer.',
  /** Stable Diffusion 2: OpenCLIP. */
  openClip: 'cond_stage_model.model.',
  /** Stable Diffusion XL (Stability's generative-models, `sgm/modules/encoders/modules.py`): both, the first with transformers' names. */
  xlClip: 'conditioner.embedders.0.transformer.',
  xlOpenClip: 'conditioner.embedders.1.model.',
} as const;

/** Module names of a U-Net of this shape. LDM numbers all down (and all up) layers in one row. */
export function unetNames(config: UNetConfig): NamePair[] {
  const pairs: NamePair[] = [
    ['time_embed.0', 'time_embedding.linear_1'],
    ['time_embed.2', 'time_embedding.linear_2'],
    ['label_emb.0.0', 'add_embedding.linear_1'],
    ['label_emb.0.2', 'add_embedding.linear_2'],
    ['input_blocks.0.0', 'conv_in'],
    ['out.0', 'conv_norm_out'],
    ['out.2', 'conv_out'],
  ];
  const last = config.block_out_channels.length - 1;
  let row = 1;
  config.down_block_types.forEach((type, block) => {
    for (let layer = 0; layer < (config.layers_per_block[block] as number); layer++, row++) {
      pairs.push(...unetResnet(`input_blocks.${row}.0`, `down_blocks.${block}.resnets.${layer}`));
      if (type === 'CrossAttnDownBlock2D')
        pairs.push([`input_blocks.${row}.1`, `down_blocks.${block}.attentions.${layer}`]);
    }
    if (block < last) pairs.push([`input_blocks.${row++}.0.op`, `down_blocks.${block}.downsamplers.0.conv`]);
  });
  if (config.mid_block_type) pairs.push(...unetResnet('middle_block.0', 'mid_block.resnets.0'));
  if (config.mid_block_type === 'UNetMidBlock2DCrossAttn')
    pairs.push(
      ['middle_block.1', 'mid_block.attentions.0'],
      ...unetResnet('middle_block.2', 'mid_block.resnets.1'),
    );
  row = 0;
  config.up_block_types.forEach((type, block) => {
    const layers = (config.layers_per_block[last - block] as number) + 1;
    const attends = type === 'CrossAttnUpBlock2D';
    for (let layer = 0; layer < layers; layer++, row++) {
      pairs.push(...unetResnet(`output_blocks.${row}.0`, `up_blocks.${block}.resnets.${layer}`));
      if (attends) pairs.push([`output_blocks.${row}.1`, `up_blocks.${block}.attentions.${layer}`]);
    }
    if (block < last)
      pairs.push([
        `output_blocks.${row - 1}.${attends ? 2 : 1}.conv`,
        `up_blocks.${block}.upsamplers.0.conv`,
      ]);
  });
  return pairs;
}

function unetResnet(theirs: string, ours: string): NamePair[] {
  return [
    [`${theirs}.in_layers.0`, `${ours}.norm1`],
    [`${theirs}.in_layers.2`, `${ours}.conv1`],
    [`${theirs}.emb_layers.1`, `${ours}.time_emb_proj`],
    [`${theirs}.out_layers.0`, `${ours}.norm2`],
    [`${theirs}.out_layers.3`, `${ours}.conv2`],
    [`${theirs}.skip_connection`, `${ours}.conv_shortcut`],
  ];
}

/** Module names of a VAE of this shape. LDM counts the decoder's levels from the outside in. */
export function vaeNames(config: VaeConfig): NamePair[] {
  const last = config.block_out_channels.length - 1;
  const pairs: NamePair[] = [
    ['quant_conv', 'quant_conv'],
    ['post_quant_conv', 'post_quant_conv'],
  ];
  for (const half of ['encoder', 'decoder']) {
    pairs.push(
      [`${half}.conv_in`, `${half}.conv_in`],
      [`${half}.norm_out`, `${half}.conv_norm_out`],
      [`${half}.conv_out`, `${half}.conv_out`],
      ...vaeResnet(`${half}.mid.block_1`, `${half}.mid_block.resnets.0`),
      ...vaeResnet(`${half}.mid.block_2`, `${half}.mid_block.resnets.1`),
      ...vaeAttention(`${half}.mid.attn_1`, `${half}.mid_block.attentions.0`),
    );
  }
  for (let block = 0; block <= last; block++) {
    for (let layer = 0; layer < config.layers_per_block; layer++)
      pairs.push(
        ...vaeResnet(`encoder.down.${block}.block.${layer}`, `encoder.down_blocks.${block}.resnets.${layer}`),
      );
    for (let layer = 0; layer <= config.layers_per_block; layer++)
      pairs.push(
        ...vaeResnet(
          `decoder.up.${last - block}.block.${layer}`,
          `decoder.up_blocks.${block}.resnets.${layer}`,
        ),
      );
    if (block === last) continue;
    pairs.push(
      [`encoder.down.${block}.downsample.conv`, `encoder.down_blocks.${block}.downsamplers.0.conv`],
      [`decoder.up.${last - block}.upsample.conv`, `decoder.up_blocks.${block}.upsamplers.0.conv`],
    );
  }
  return pairs;
}

function vaeResnet(theirs: string, ours: string): NamePair[] {
  return [
    [theirs, ours],
    [`${theirs}.nin_shortcut`, `${ours}.conv_shortcut`],
  ];
}

function vaeAttention(theirs: string, ours: string): NamePair[] {
  return [
    [`${theirs}.norm`, `${ours}.group_norm`],
    [`${theirs}.q`, `${ours}.to_q`],
    [`${theirs}.k`, `${ours}.to_k`],
    [`${theirs}.v`, `${ours}.to_v`],
    [`${theirs}.proj_out`, `${ours}.to_out.0`],
  ];
}

/** Module names of an OpenCLIP text encoder with this many layers; `attn.in_proj_*` holds q, k and v and is not among them. */
export function openClipNames(layers: number): NamePair[] {
  const pairs: NamePair[] = [
    ['token_embedding', 'text_model.embeddings.token_embedding'],
    ['positional_embedding', 'text_model.embeddings.position_embedding.weight'],
    ['ln_final', 'text_model.final_layer_norm'],
  ];
  for (let layer = 0; layer < layers; layer++) {
    const theirs = `transformer.resblocks.${layer}`;
    const ours = `text_model.encoder.layers.${layer}`;
    pairs.push(
      [`${theirs}.ln_1`, `${ours}.layer_norm1`],
      [`${theirs}.ln_2`, `${ours}.layer_norm2`],
      [`${theirs}.mlp.c_fc`, `${ours}.mlp.fc1`],
      [`${theirs}.mlp.c_proj`, `${ours}.mlp.fc2`],
      [`${theirs}.attn.out_proj`, `${ours}.self_attn.out_proj`],
    );
  }
  return pairs;
}

/** The three thirds of OpenCLIP's `in_proj`, in its order. */
export const inProjParts = ['q_proj', 'k_proj', 'v_proj'] as const;
