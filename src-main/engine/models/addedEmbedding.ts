import { input } from '../graph/build.ts';
import { sizeInputs, type UNetConfig } from './config.ts';
import type { AddedInputs } from './unet.ts';

/** The U-Net's inputs for what SDXL adds to the time, where it does: spread into its inputs. */
export function addedInputs({ addition }: UNetConfig, batch: number): { added?: AddedInputs } {
  if (!addition) return {};
  return {
    added: {
      text_embeds: input('text_embeds', [batch, addition.textWidth]),
      time_ids: input('time_ids', [batch, sizeInputs]),
    },
  };
}
