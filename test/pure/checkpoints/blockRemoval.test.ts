import { describe, expect, it } from 'vitest';
import {
  blocksOfKind,
  planRemoval,
  singleBlocks,
  teacherName,
} from '../../../src-main/engine/checkpoints/blockRemoval.ts';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { studentOf } from '../../../src-main/engine/checkpoints/student.ts';
import { parseUNetConfig } from '../../../src-main/engine/models/parseConfig.ts';

const sd1 = parseUNetConfig({ cross_attention_dim: 768 }, 'config.json');
const teacher = openModelFolder('test/golden/fixtures/models/tiny-sd1');

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
