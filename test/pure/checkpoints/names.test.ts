import { describe, expect, it } from 'vitest';
import { kohyaNames } from '../../../src-main/engine/checkpoints/names/kohya.ts';
import { ForeignLora, readLoraName } from '../../../src-main/engine/checkpoints/names/loraNames.ts';
import { peftModule, peftName } from '../../../src-main/engine/checkpoints/names/peft.ts';
import { publishedTextName, publishedVaeName } from '../../../src-main/engine/checkpoints/names/published.ts';

const kohyaName = kohyaNames(undefined);
const modules = [
  'down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q',
  'up_blocks.3.attentions.2.transformer_blocks.0.attn2.to_out.0',
  'mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj',
  'down_blocks.1.attentions.0.proj_in',
  'down_blocks.2.resnets.1.conv_shortcut',
  'up_blocks.0.resnets.0.time_emb_proj',
  'down_blocks.0.downsamplers.0.conv',
  'up_blocks.1.upsamplers.0.conv',
  'time_embedding.linear_1',
  'conv_in',
];

describe('LoRA names', () => {
  it.each(modules)('kohya: %s and back', (module) => {
    expect(readLoraName(`${kohyaName('unet', module)}.lora_down.weight`)).toEqual({
      part: 'unet',
      module,
      kind: 'A',
    });
  });

  it.each(modules)('PEFT: %s and back', (module) => {
    expect(readLoraName(peftName(module, 'B'))).toEqual({ part: 'unet', module, kind: 'B' });
  });

  it('the text encoder, in the names of transformers 4 and 5', () => {
    const module = 'text_model.encoder.layers.11.self_attn.q_proj';
    expect(kohyaName('text_encoder', module)).toBe('lora_te_text_model_encoder_layers_11_self_attn_q_proj');
    expect(readLoraName('lora_te1_text_model_encoder_layers_11_self_attn_q_proj.alpha')).toEqual({
      part: 'text_encoder',
      module,
      kind: 'alpha',
    });
    for (const version of [4, 5] as const)
      expect(readLoraName(peftName(peftModule('text_encoder', module, version), 'A'))).toEqual({
        part: 'text_encoder',
        module,
        kind: 'A',
      });
    expect(peftModule('text_encoder', module, 5)).toBe('encoder.layers.11.self_attn.q_proj');
  });

  it.each([
    ['unet.down_blocks.0.attentions.0.proj_in.lora.up.weight', 'down_blocks.0.attentions.0.proj_in', 'B'],
    [
      'unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.down.weight',
      'mid_block.attentions.0.transformer_blocks.0.attn1.to_q',
      'A',
    ],
    [
      'mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.up.weight',
      'mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0',
      'B',
    ],
    [
      'unet.up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.alpha',
      'up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k',
      'alpha',
    ],
  ])('diffusers, old and new: %s', (name, module, kind) => {
    expect(readLoraName(name)).toEqual({ part: 'unet', module, kind });
  });

  it("diffusers' text encoder", () => {
    const expected = {
      part: 'text_encoder',
      module: 'text_model.encoder.layers.0.self_attn.v_proj',
      kind: 'A',
    };
    expect(
      readLoraName('text_encoder.text_model.encoder.layers.0.self_attn.v_proj.lora_linear_layer.down.weight'),
    ).toEqual(expected);
    expect(readLoraName('text_encoder.encoder.layers.0.self_attn.v_proj.lora_A.weight')).toEqual(expected);
  });

  it.each([
    [
      'text_encoder.text_model.encoder.layers.0.self_attn.to_q_lora.down.weight',
      'text_encoder',
      'text_model.encoder.layers.0.self_attn.q_proj',
      'A',
    ],
    [
      'text_encoder.text_model.encoder.layers.0.self_attn.to_out_lora.up.weight',
      'text_encoder',
      'text_model.encoder.layers.0.self_attn.out_proj',
      'B',
    ],
    [
      'diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_out.0.lora_down.weight',
      'unet',
      'input_blocks.1.1.transformer_blocks.0.attn1.to_out.0',
      'A',
    ],
    [
      'text_encoders.clip_l.transformer.text_model.encoder.layers.2.mlp.fc1.lora_up.weight',
      'text_encoder',
      'text_model.encoder.layers.2.mlp.fc1',
      'B',
    ],
    [
      'lora_unet_output_blocks_3_1_transformer_blocks_0_attn2_to_v.alpha',
      'unet',
      'output_blocks.3.1.transformer_blocks.0.attn2.to_v',
      'alpha',
    ],
    [
      'lora_unet_down_blocks_0_attentions_0_proj_in.hada_w1_a',
      'unet',
      'down_blocks.0.attentions.0.proj_in',
      'hada_w1_a',
    ],
    [
      'clip_l.text_model.encoder.layers.2.mlp.fc1.lora_down.weight',
      'text_encoder',
      'text_model.encoder.layers.2.mlp.fc1',
      'A',
    ],
    [
      'lycoris_down_blocks_0_attentions_0_proj_in.lora_up.weight',
      'unet',
      'down_blocks.0.attentions.0.proj_in',
      'B',
    ],
    ['lora_unet_mid_block_resnets_0_conv1.lokr_w2', 'unet', 'mid_block.resnets.0.conv1', 'lokr_w2'],
    ['base_model.model.conv_in.lora_magnitude_vector.weight', 'unet', 'conv_in', 'magnitude'],
    ['unet.conv_in.dora_scale', 'unet', 'conv_in', 'dora_scale'],
    [
      'lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_up.weight',
      'text_encoder_2',
      'text_model.encoder.layers.0.mlp.fc1',
      'B',
    ],
    [
      'text_encoder_2.text_model.encoder.layers.3.self_attn.to_q_lora.down.weight',
      'text_encoder_2',
      'text_model.encoder.layers.3.self_attn.q_proj',
      'A',
    ],
    ['lora_unet_label_emb_0_0.lora_down.weight', 'unet', 'label_emb.0.0', 'A'],
    ['unet.mid_block.attentions.0.proj_in.lora.alpha', 'unet', 'mid_block.attentions.0.proj_in', 'alpha'],
    [
      'text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_linear_layer.alpha',
      'text_encoder',
      'text_model.encoder.layers.0.mlp.fc1',
      'alpha',
    ],
  ])('other tools and methods: %s', (name, part, module, kind) => {
    expect(readLoraName(name)).toEqual({ part, module, kind });
  });

  it.each([
    ['lora_unet_double_blocks_0_img_attn_proj.lora_down.weight', /Flux/],
    ['lora_unet_down_blocks_0_attentions_0_proj_in.a1.weight', /GLoRA/],
    ['lora_unet_down_blocks_0_attentions_0_proj_in.oft_blocks', /OFT/],
    ['lora_unet_down_blocks_0_attentions_0_proj_in.on_input', /IA/],
    ['lora_unet_down_blocks_0_attentions_0_proj_in.q_layer.weight', /T-LoRA/],
    ['lora_unet_down_blocks_0_attentions_0_proj_in.lambda_layer', /T-LoRA/],
    ['base_model.model.down_blocks.0.attentions.0.proj_in.psoft_R', /PEFT's other methods/],
    ['base_model.model.conv_in.lora_B.bias', /biases/],
    ['unet:3:up', /lora_diffusion/],
  ])('of other methods and models are told apart: %s', (name, what) => {
    const read = readLoraName(name);
    expect(read).toBeInstanceOf(ForeignLora);
    expect((read as ForeignLora).what).toMatch(what);
  });

  it('what is no LoRA has no name', () => {
    expect(readLoraName('model.weight')).toBeUndefined();
    expect(readLoraName('transformer.h.0.attn.weight')).toBeUndefined();
  });
});

describe('published names', () => {
  it('of the text encoder', () => {
    expect(publishedTextName('encoder.layers.0.mlp.fc1.weight')).toBe(
      'text_model.encoder.layers.0.mlp.fc1.weight',
    );
    expect(publishedTextName('text_model.final_layer_norm.bias')).toBe('text_model.final_layer_norm.bias');
    expect(publishedTextName('text_model.embeddings.position_ids')).toBeUndefined();
  });

  it("of the VAE's attention", () => {
    expect(publishedVaeName('decoder.mid_block.attentions.0.proj_attn.bias')).toBe(
      'decoder.mid_block.attentions.0.to_out.0.bias',
    );
    expect(publishedVaeName('encoder.mid_block.attentions.0.key.weight')).toBe(
      'encoder.mid_block.attentions.0.to_k.weight',
    );
    expect(publishedVaeName('encoder.mid_block.attentions.0.group_norm.weight')).toBe(
      'encoder.mid_block.attentions.0.group_norm.weight',
    );
  });
});
