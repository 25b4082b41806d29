import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import { writeSafetensors } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import type { HostTensor } from '../../../src-main/engine/tensor/tensor.ts';
import type { NewUNet } from './grow.ts';

const unetFile = join('unet', 'diffusion_pytorch_model.safetensors');

/** A model folder with another U-Net and all the rest of `from`; it appears under its name when it is complete. */
export function writeWith(from: string, { config, weights }: NewUNet, folder: string): void {
  const half = `${folder}.half`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(join(half, 'unet'), { recursive: true });
  for (const name of readdirSync(from).filter((name) => name !== 'unet'))
    cpSync(join(from, name), join(half, name), { recursive: true, dereference: true });
  writeFileSync(join(half, 'unet', 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  const tensors = [...weights].map(([name, tensor]) => ({ name, tensor }));
  writeSafetensors(join(half, unetFile), tensors, { format: 'pt' });
  renameSync(half, folder);
}

/** The U-Net's weights as a checkpoint of a run holds them. */
export function weightsIn(checkpoint: string): ReadonlyMap<string, HostTensor<'f32'>> {
  const { tensors } = readSafetensors(join(checkpoint, unetFile));
  return new Map([...tensors].map(([name, entry]) => [name, readF32(entry)]));
}
