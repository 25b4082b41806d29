import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepHashesIn } from '../../../src-main/engine/checkpoints/contentHash.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import { hasVersion2UNet } from '../../../src-main/engine/checkpoints/singleFile.ts';
import { inferClipConfig, inferUNetConfig } from '../../../src-main/engine/checkpoints/singleFileConfig.ts';
import { renamer, swapped } from '../../../src-main/engine/checkpoints/names/renamer.ts';
import { unetNames, vaeNames } from '../../../src-main/engine/checkpoints/names/singleFile.ts';
import { readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import { writeSingleFile } from '../../../src-main/engine/checkpoints/writeModel.ts';
import { writeSafetensors } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import type { UNetConfig } from '../../../src-main/engine/models/config.ts';
import { parseUNetConfig } from '../../../src-main/engine/models/parseConfig.ts';
import { unetShapes } from '../../../src-main/engine/models/unetCost.ts';
import { f32, type FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

const fixtures = join(import.meta.dirname, '../fixtures');
const names = JSON.parse(
  readFileSync(join(fixtures, 'checkpoints/single-file-names.json'), 'utf8'),
) as Record<string, { unet: Record<string, string>; vae: Record<string, string> }>;

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'likeness-single-'));
  keepHashesIn(join(scratch, 'cache'));
});
afterAll(() => {
  keepHashesIn(join(tmpdir(), 'nowhere'));
  rmSync(scratch, { recursive: true });
});

const partsOf = ({ unet, vae, textEncoder, textEncoder2 }: Model) =>
  [unet, vae, textEncoder, ...(textEncoder2 ? [textEncoder2] : [])] as const;

function expectSameModel(model: Model, reference: Model, withinHalf: boolean): void {
  expect(partsOf(model)).toHaveLength(partsOf(reference).length);
  for (const [i, expected] of partsOf(reference).entries()) {
    const found = partsOf(model)[i] as typeof expected;
    expect(found.config).toEqual(expected.config);
    expect(found.weights.names().sort()).toEqual(expected.weights.names().sort());
    for (const name of expected.weights.names()) {
      const ours = readF32(found.weights.get(name) as FileTensor);
      const theirs = readF32(expected.weights.get(name) as FileTensor);
      expect(ours.shape, name).toEqual(theirs.shape);
      const difference = ours.data.reduce(
        (most, x, i) => Math.max(most, Math.abs(x - (theirs.data[i] as number))),
        0,
      );
      expect(difference, name).toBeLessThanOrEqual(withinHalf ? 2e-3 : 0);
    }
  }
}

describe('a version 2 file whose text encoder has the names of transformers', () => {
  const layer = 'text_model.encoder.layers.0';
  const shapes = new Map([
    ['text_model.embeddings.token_embedding.weight', [49408, 1024]],
    ['text_model.embeddings.position_embedding.weight', [77, 1024]],
    [`${layer}.mlp.fc1.weight`, [4096, 1024]],
    [`${layer}.layer_norm1.weight`, [1024]],
  ]);
  it.each([
    [true, 'gelu'],
    [false, 'quick_gelu'],
  ] as const)('version 2 %s: its activation is %s', (isVersion2, hidden_act) => {
    expect(inferClipConfig(shapes, 'x', isVersion2)).toMatchObject({ hidden_act, num_attention_heads: 16 });
  });

  it('is told by its U-Net', () => {
    const entry = (shape: number[]) =>
      ({ dtype: 'f32', shape, file: 'x', offset: 0, byteLength: 0 }) as const;
    const raw = (name: string, shape: number[]) => new Map([[name, entry(shape)]]);
    expect(hasVersion2UNet(raw('input_blocks.1.1.proj_in.weight', [320, 320]))).toBe(true);
    expect(hasVersion2UNet(raw('input_blocks.1.1.proj_in.weight', [320, 320, 1, 1]))).toBe(false);
    const keys = 'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight';
    expect(hasVersion2UNet(raw(keys, [320, 1024]))).toBe(true);
    expect(hasVersion2UNet(raw(keys, [320, 768]))).toBe(false);
  });
});

describe.each(Object.keys(names))('single-file names of %s', (name) => {
  const model = openModel(join(fixtures, 'models', name));
  const pairs = { unet: unetNames(model.unet.config), vae: vaeNames(model.vae.config) };

  it.each(['unet', 'vae'] as const)('%s: both ways as in diffusers', (part) => {
    const golden = (names[name] as (typeof names)[string])[part];
    const toOurs = renamer(pairs[part]);
    const toTheirs = renamer(swapped(pairs[part]));
    const found = Object.keys(golden).map((theirs) => [theirs, toOurs(theirs)]);
    expect(Object.fromEntries(found)).toEqual(golden);
    expect(Object.values(golden).map(toTheirs)).toEqual(Object.keys(golden));
    expect(Object.values(golden).sort()).toEqual(model[part].weights.names().sort());
  });

  it('comes back from our own single file as it was', () => {
    const file = join(scratch, `${name} 🎈.safetensors`);
    writeSingleFile(file, model);
    const back = openModel(file);
    expectSameModel(back, model, false);
    expect(back.scheduler).toEqual(model.scheduler);
    expect(back.zeroNegative).toBe(model.zeroNegative);
  });
});

describe('a Stable Diffusion 2 single file by another tool', () => {
  const reference = openModel(join(fixtures, 'models/tiny-sd2'));

  it('is read with the configs of the diffusers folder beside it, q, k and v cut out of in_proj', () => {
    cpSync(join(fixtures, 'models/tiny-sd2'), join(scratch, 'tiny-sd2'), { recursive: true });
    cpSync(join(fixtures, 'checkpoints/tiny-sd2.safetensors'), join(scratch, 'tiny-sd2.safetensors'));
    const model = openModel(join(scratch, 'tiny-sd2.safetensors'));
    expectSameModel(model, reference, true);
    expect(model.scheduler).toEqual(reference.scheduler);
    expect(model.tokenizer?.vocabFile).toBe(join(scratch, 'tiny-sd2/tokenizer/vocab.json'));
  });

  it('says what is unclear where no config tells the number of heads', () => {
    expect(() => openModel(join(fixtures, 'checkpoints/tiny-sd2.safetensors'))).toThrow('attention heads');
  });
});

describe('a single file of the SDXL family by another tool', () => {
  const file = 'checkpoints/tiny-koala.safetensors';

  it('is read with the configs of the folder beside it, the projection turned', () => {
    const folder = join(scratch, 'tiny-koala');
    cpSync(join(fixtures, 'models/tiny-koala'), folder, { recursive: true });
    cpSync(join(fixtures, file), `${folder}.safetensors`);
    const model = openModel(`${folder}.safetensors`);
    expectSameModel(model, openModel(folder), true);
    expect(model.tokenizer2?.vocabFile).toBe(join(folder, 'tokenizer_2/vocab.json'));
  });

  it('is not read with those of another model of the family', () => {
    const folder = join(scratch, 'another');
    cpSync(join(fixtures, 'models/tiny-koala-1b'), folder, { recursive: true });
    cpSync(join(fixtures, file), `${folder}.safetensors`);
    expect(() => openModel(`${folder}.safetensors`)).toThrow('attention heads');
  });

  /** Shapes of the tensors of a U-Net, as a single file names them. */
  const ldmShapes = (config: UNetConfig) => {
    const named = renamer(swapped(unetNames(config)));
    return new Map([...unetShapes(config)].map(([name, shape]) => [named(name) as string, shape]));
  };

  // As published.
  const xl = {
    ...{ attention_head_dim: [5, 10, 20], block_out_channels: [320, 640, 1280], cross_attention_dim: 2048 },
    down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
    up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
    ...{
      layers_per_block: 2,
      transformer_layers_per_block: [1, 2, 10],
      mid_block_type: 'UNetMidBlock2DCrossAttn',
    },
    ...{ use_linear_projection: true, sample_size: 128, addition_embed_type: 'text_time' },
    ...{ addition_time_embed_dim: 256, projection_class_embeddings_input_dim: 2816 },
  };
  const ssd = {
    ...{ transformer_layers_per_block: [1, [2, 2], [4, 4]], mid_block_type: 'UNetMidBlock2D' },
    reverse_transformer_layers_per_block: [[4, 4, 10], [2, 1, 1], 1],
  };
  const vega = {
    ...{ transformer_layers_per_block: [1, [1, 1], [2, 2]], mid_block_type: 'UNetMidBlock2D' },
    reverse_transformer_layers_per_block: [[2, 2, 2], [1, 1, 1], 1],
  };
  const koala = { layers_per_block: 1, transformer_layers_per_block: [0, 2, 6] };
  const small = { ...koala, transformer_layers_per_block: [0, 2, 5], mid_block_type: null };
  it.each([
    ['SDXL', {}],
    ['SDXL inpainting', { in_channels: 9 }],
    ['SSD-1B', ssd],
    ['Segmind-Vega', vega],
    ['KOALA-1B', koala],
    ['KOALA-700M', small],
  ])('without a config, %s is told by its shapes', (_, own) => {
    const published = parseUNetConfig({ ...xl, ...own }, '');
    const shapes = ldmShapes(published);
    const found = parseUNetConfig(inferUNetConfig(shapes, '', { sampleSize: 128, pooledWidth: 1280 }), '');
    // How deep transformers would be where there are none says nothing.
    const {
      transformer_layers_per_block: _down,
      reverse_transformer_layers_per_block: _up,
      ...rest
    } = published;
    expect(found).toMatchObject(rest);
    expect(ldmShapes(found)).toEqual(shapes);
  });

  const entry = (name: string, shape: readonly number[]) => ({ name, tensor: f32(shape) });
  const unet = entry('model.diffusion_model.input_blocks.0.0.weight', [1, 1, 1, 1]);
  it.each([
    ['conditioner.embedders.0.model.ln_final.weight', /refiner/],
    ['edm_mean', /Playground/],
    ['edm_vpred.sigma_max', /CosXL/],
    ['conditioner.embedders.0.transformer.text_model.final_layer_norm.weight', /second text encoder/],
  ])('a file with %s is refused by name', (name, said) => {
    const other = join(scratch, 'other.safetensors');
    writeSafetensors(other, [unet, entry(name, [1])]);
    expect(() => openModel(other)).toThrow(said);
  });
});
