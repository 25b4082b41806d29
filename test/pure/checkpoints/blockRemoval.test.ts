import { describe, expect, it } from 'vitest';
import {
  blocksOfKind,
  planRemoval,
  removalOfKind,
  removedTransformers,
  singleBlocks,
  teacherName,
} from '../../../src-main/engine/checkpoints/blockRemoval.ts';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { studentOf } from '../../../src-main/engine/checkpoints/student.ts';
import { Weights } from '../../../src-main/engine/checkpoints/weights.ts';
import { parseUNetConfig } from '../../../src-main/engine/models/parseConfig.ts';
import { unetShapes } from '../../../src-main/engine/models/unetCost.ts';

const sd1 = parseUNetConfig({ cross_attention_dim: 768 }, 'config.json');
const teacher = openModelFolder('test/golden/fixtures/models/tiny-sd1');

/** Stable Diffusion XL's U-Net, as its published folder has it. */
const xlText = JSON.stringify({
  ...{ sample_size: 128, cross_attention_dim: 2048, use_linear_projection: true },
  ...{ addition_embed_type: 'text_time', addition_time_embed_dim: 256 },
  ...{ projection_class_embeddings_input_dim: 2816, attention_head_dim: [5, 10, 20] },
  ...{ block_out_channels: [320, 640, 1280], transformer_layers_per_block: [1, 2, 10] },
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
  up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
});
const xl = parseUNetConfig(JSON.parse(xlText), 'config.json');
const xlTeacher = {
  ...teacher,
  unet: {
    ...{ config: xl, configText: xlText },
    weights: new Weights(
      'unet',
      new Map(
        [...unetShapes(xl)].map(([name, shape]) => [
          name,
          { dtype: 'f16' as const, shape, file: name, offset: 0, byteLength: 2 },
        ]),
      ),
    ),
  },
};

describe.each([
  ['koala-1b', [1, 2, 6], 'UNetMidBlock2DCrossAttn', 1_161_184_324],
  ['koala-700m', [1, 2, 5], null, 782_822_724],
] as const)('%s of Stable Diffusion XL', (kind, depths, mid, parameters) => {
  const removal = removalOfKind(kind, xl, 'unet');
  const { unet } = studentOf(xlTeacher, removal);

  it('has the shape and the parameters of the published one', () => {
    expect(JSON.parse(unet.configText)).toMatchObject({
      ...{ layers_per_block: 1, transformer_layers_per_block: depths, mid_block_type: mid },
      block_out_channels: [320, 640, 1280],
    });
    expect(unet.weights.parameterCount).toBe(parameters);
  });

  it("keeps each attention's first transformer blocks, and the last pair of an up block", () => {
    const from = (name: string): string | undefined => unet.weights.get(name)?.file;
    const query = 'attn1.to_q.weight';
    expect(from(`down_blocks.2.attentions.0.transformer_blocks.4.${query}`)).toBe(
      `down_blocks.2.attentions.0.transformer_blocks.4.${query}`,
    );
    expect(from(`up_blocks.0.attentions.1.transformer_blocks.0.${query}`)).toBe(
      `up_blocks.0.attentions.2.transformer_blocks.0.${query}`,
    );
    expect(from(`down_blocks.2.attentions.0.transformer_blocks.6.${query}`)).toBeUndefined();
    expect(removedTransformers(removal, xl)[0]).toBe(`transformer blocks ${depths[2]}–9 of down_blocks.2`);
  });

  it('is refused for other models', () => {
    expect(() => removalOfKind(kind, sd1, 'sd1')).toThrow(/sd1 can't become koala/);
    const shallow = parseUNetConfig({ ...JSON.parse(xlText), transformer_layers_per_block: 4 }, '');
    expect(() => removalOfKind(kind, shallow, 'vega')).toThrow(/more than \d transformer blocks/);
  });
});

describe('blocks of a U-Net', () => {
  it('are its pairs and its mid block, in order', () => {
    const names = singleBlocks(sd1);
    expect(names).toHaveLength(8 + 1 + 12);
    expect([names[0], names[7], names[8], names[9], names.at(-1)]).toEqual([
      'down_blocks.0.0',
      'down_blocks.3.1',
      'mid_block',
      'up_blocks.0.0',
      'up_blocks.3.2',
    ]);
  });

  it("give the student's tensors their places", () => {
    const tiny = planRemoval(sd1, blocksOfKind('bk-tiny', sd1, ''));
    const base = planRemoval(sd1, blocksOfKind('bk-base', sd1, ''));
    expect(teacherName('up_blocks.1.resnets.1.conv1.weight', base)).toBe(
      'up_blocks.1.resnets.2.conv1.weight',
    );
    expect(teacherName('up_blocks.0.upsamplers.0.conv.bias', tiny)).toBe(
      'up_blocks.1.upsamplers.0.conv.bias',
    );
    expect(teacherName('down_blocks.2.resnets.0.norm1.bias', tiny)).toBe(
      'down_blocks.2.resnets.0.norm1.bias',
    );
    expect(teacherName('conv_in.weight', tiny)).toBe('conv_in.weight');
  });

  it.each([
    [['down_blocks.0.1'], 'compress.unbalanced'],
    [['mid_block', 'up_blocks.9.9'], 'compress.unknownBlock'],
    [['conv_in'], 'compress.unknownBlock'],
    [['up_blocks.7'], 'compress.unknownBlock'],
    [['down_blocks.1'], 'compress.innerStage'],
    [['down_blocks.0'], 'compress.innerStage'],
    [['down_blocks.0.0', 'down_blocks.0.1', 'up_blocks.3.1', 'up_blocks.3.2'], 'compress.emptyStage'],
    // The first pair changes the number of channels.
    [['down_blocks.1.0', 'up_blocks.2.1'], 'compress.unfit'],
  ])('%j can not go: %s', (blocks, code) => {
    const attempt = (): unknown => studentOf(teacher, planRemoval(teacher.unet.config, blocks));
    expect(attempt).toThrow(expect.objectContaining({ code }) as Error);
  });

  it('other than the published ones can go', () => {
    const { unet } = studentOf(
      teacher,
      planRemoval(teacher.unet.config, ['down_blocks.3.0', 'up_blocks.0.2', 'mid_block']),
    );
    expect(unet.config.layers_per_block).toEqual([2, 2, 2, 1]);
    expect(unet.config.mid_block_type).toBeNull();
    expect(unet.weights.get('down_blocks.3.resnets.0.conv1.weight')).toEqual(
      teacher.unet.weights.get('down_blocks.3.resnets.1.conv1.weight'),
    );
  });

  it('of a model with one layer have no published students', () => {
    const small = { ...sd1, layers_per_block: [1, 1, 1, 1] };
    expect(() => blocksOfKind('bk-base', small, 'x')).toThrow(
      expect.objectContaining({ code: 'compress.layers' }) as Error,
    );
  });
});
