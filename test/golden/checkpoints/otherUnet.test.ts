import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openModel, withUnet } from '../../../src-main/engine/checkpoints/openModel.ts';

const models = join(import.meta.dirname, '../fixtures/models');
const model = openModel(join(models, 'tiny-sd1'));

it('a U-Net from elsewhere fits, or both places are named', () => {
  const bk = join(models, 'tiny-bk');
  expect(withUnet(model, bk).unet.config).toEqual(openModel(bk).unet.config);
  const sd2 = join(models, 'tiny-sd2', 'unet');
  const refused = new RegExp(
    `U-Net of ${sd2} can't be put into ${model.path}: the U-Net wants prompts 24 wide`,
  );
  expect(() => withUnet(model, sd2)).toThrow(refused);
});
