import { describe, expect, it } from 'vitest';
import { seesMasks } from '../../../src-main/engine/models/config.ts';
import {
  parseClipTextConfig,
  parseUNetConfig,
  parseVaeConfig,
} from '../../../src-main/engine/models/parseConfig.ts';

const unet = (keys: object) => parseUNetConfig(keys, 'unet/config.json');

describe('U-Net configs', () => {
  it("take diffusers' defaults for absent keys (those of its first release, near Stable Diffusion 1)", () => {
    expect(unet({})).toMatchObject({
      sample_size: [64, 64],
      block_out_channels: [320, 640, 1280, 1280],
      layers_per_block: [2, 2, 2, 2],
      cross_attention_dim: [1280, 1280, 1280, 1280],
      num_attention_heads: [8, 8, 8, 8],
      mid_block_type: 'UNetMidBlock2DCrossAttn',
      norm_eps: 1e-5,
      flip_sin_to_cos: true,
      use_linear_projection: false,
    });
  });

  it('call the number of heads attention_head_dim, as one number or a list', () => {
    expect(unet({ attention_head_dim: [5, 10, 20, 20] }).num_attention_heads).toEqual([5, 10, 20, 20]);
    expect(unet({ attention_head_dim: 5 }).num_attention_heads).toEqual([5, 5, 5, 5]);
    expect(unet({ attention_head_dim: 64, num_attention_heads: 10 }).num_attention_heads).toEqual([
      10, 10, 10, 10,
    ]);
  });

  it('tell an absent mid block from an unsaid one', () => {
    expect(unet({ mid_block_type: null }).mid_block_type).toBe(null);
    expect(unet({ mid_block_type: 'UNetMidBlock2D' }).mid_block_type).toBe('UNetMidBlock2D');
  });

  it('may see 8 channels if they make as many', () => {
    expect(unet({ in_channels: 8, out_channels: 8 }).in_channels).toBe(8);
    expect(() => unet({ in_channels: 8, out_channels: 4 })).toThrow('8 input channels');
  });

  it('may see a mask and the masked picture beside the latents', () => {
    expect(seesMasks(unet({ in_channels: 9 }))).toBe(true);
    expect(seesMasks(unet({ in_channels: 9, out_channels: 9 }))).toBe(false);
  });

  it.each([
    [{ addition_embed_type: 'text_image' }, 'extra embeddings'],
    [{ in_channels: 8 }, 'image-editing'],
    [{ class_embed_type: 'timestep' }, 'class-conditioned'],
    [{ num_class_embeds: 1000 }, 'class-conditioned'],
    [{ only_cross_attention: [true, true, true, false] }, 'self-attention'],
    [{ resnet_time_scale_shift: 'scale_shift' }, 'scale-shift'],
    [{ _class_name: 'ControlNetModel' }, 'ControlNetModel'],
    [{ _class_name: 'FluxTransformer2DModel' }, 'FluxTransformer2DModel'],
    [{ architectures: ['BertModel'], model_type: 'bert' }, 'bert'],
  ])('of another family are refused by what they are: %j', (keys, found) => {
    expect(() => unet(keys)).toThrow(found);
    expect(() => unet(keys)).toThrow('unet/config.json');
  });

  it.each([
    [{ block_out_channels: [320, 640] }, 'differ in length'],
    [{ block_out_channels: [] }, 'differ in length'],
    [{ block_out_channels: [320, 640, 1280, 2 ** 40] }, 'block_out_channels'],
    [{ layers_per_block: -1 }, 'layers_per_block'],
    [{ layers_per_block: [1, 2] }, 'layers_per_block has 2 entries for 4 blocks'],
    [{ attention_head_dim: 7 }, '7 attention heads'],
    [{ norm_num_groups: 7 }, '7 groups'],
    [
      { down_block_types: ['KDownBlock2D', 'DownBlock2D', 'DownBlock2D', 'DownBlock2D'] },
      'down_block_types.0',
    ],
    [{ norm_eps: 'small' }, 'norm_eps'],
    [[], 'not a JSON object'],
    [null, 'not a JSON object'],
  ])('that make no sense are refused with the key: %j', (keys, found) => {
    expect(() => parseUNetConfig(keys, 'c.json')).toThrow(found);
  });
});

describe('VAE configs', () => {
  it("take diffusers' defaults", () => {
    expect(parseVaeConfig({}, 'c')).toMatchObject({
      scaling_factor: 0.18215,
      latent_channels: 4,
      layers_per_block: 1,
      use_quant_conv: true,
    });
  });

  it("with shifted latents are another family's", () => {
    expect(() => parseVaeConfig({ shift_factor: 0.1159 }, 'c')).toThrow('shifted latents');
    expect(parseVaeConfig({ shift_factor: null, latents_mean: null }, 'c').scaling_factor).toBe(0.18215);
  });
});

describe('CLIP text configs', () => {
  it("take transformers' defaults, and lie in a whole CLIP's config too", () => {
    expect(parseClipTextConfig({}, 'c')).toMatchObject({
      hidden_size: 512,
      hidden_act: 'quick_gelu',
      num_hidden_layers: 12,
    });
    expect(
      parseClipTextConfig(
        { model_type: 'clip', text_config: { hidden_size: 768, num_attention_heads: 12 } },
        'c',
      ).hidden_size,
    ).toBe(768);
  });

  it('of other encoders are refused', () => {
    expect(() => parseClipTextConfig({ model_type: 't5' }, 'c')).toThrow('t5');
    expect(() => parseClipTextConfig({ hidden_size: 100, num_attention_heads: 12 }, 'c')).toThrow('12 heads');
  });
});
