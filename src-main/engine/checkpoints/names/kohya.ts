import type { LoraName } from './loraNames.ts';

/**
 * kohya-ss' sd-scripts (`networks/lora.py`) name a module by its prefix and diffusers' name with underscores for dots:
 * `lora_unet_down_blocks_0_…_to_q.lora_down.weight`, and scale by `….alpha` over the rank.
 */
export function kohyaName(part: LoraName['part'], module: string): string {
  return `lora_${part === 'unet' ? 'unet' : 'te'}_${module.replaceAll('.', '_')}`;
}
