import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { seesMasks } from '../../models/config.ts';

/** Throws `model.notForXl` for SDXL and `training.inpainting` for a model that sees masks: batches of a distillation have neither's inputs. */
export function refuseUndistillable({ path, unet }: Pick<Model, 'path' | 'unet'>): void {
  if (unet.config.addition) throw problem('model.notForXl', { model: path, what: 'distillation' });
  if (seesMasks(unet.config)) throw problem('training.inpainting', { model: path });
}
