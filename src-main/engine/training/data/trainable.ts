import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { seesMasks } from '../../models/config.ts';

/** Throws `training.inpainting` for a model that sees masks: batches of a distillation have none. */
export function refuseInpainting({ path, unet }: Pick<Model, 'path' | 'unet'>): void {
  if (seesMasks(unet.config)) throw problem('training.inpainting', { model: path });
}
