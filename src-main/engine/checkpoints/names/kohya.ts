import type { Model } from '../model.ts';
import type { LoraName } from './loraNames.ts';
import { renamer, swapped } from './renamer.ts';
import { unetNames } from './singleFile.ts';

/**
 * kohya-ss' sd-scripts (`networks/lora.py`) name a module by its prefix and diffusers' name with underscores for dots:
 * `lora_unet_down_blocks_0_…_to_q.lora_down.weight`, and scale by `….alpha` over the rank. Of SDXL, the U-Net's modules have single
 * files' names (`lora_unet_input_blocks_4_1_…`), and text encoders have numbers.
 */
export function kohyaNames(
  model: Pick<Model, 'unet' | 'textEncoder2'> | undefined,
): (part: LoraName['part'], module: string) => string {
  const flat = (prefix: string, module: string): string => `lora_${prefix}_${module.replaceAll('.', '_')}`;
  if (!model?.textEncoder2) return (part, module) => flat(part === 'unet' ? 'unet' : 'te', module);
  const inSingleFile = renamer(swapped(unetNames(model.unet.config)));
  return (part, module) =>
    part === 'unet'
      ? flat('unet', inSingleFile(module) ?? module)
      : flat(part === 'text_encoder' ? 'te1' : 'te2', module);
}
