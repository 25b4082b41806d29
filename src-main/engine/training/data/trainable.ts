import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { seesMasks } from '../../models/config.ts';

/** Throws `training.inpainting` for a model that sees masks, whose inputs batches of a distillation lack, and `model.notForXl` for an LCM of SDXL's family. */
export function refuseUndistillable({ path, unet }: Pick<Model, 'path' | 'unet'>, lcm = false): void {
  if (lcm && unet.config.addition)
    throw problem('model.notForXl', { model: path, what: 'distilling to few steps' });
  if (seesMasks(unet.config)) throw problem('training.inpainting', { model: path });
}
