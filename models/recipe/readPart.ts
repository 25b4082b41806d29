import { join } from 'node:path';
import { readSafetensors } from '../../src-main/engine/checkpoints/safetensors.ts';
import { readF32 } from '../../src-main/engine/checkpoints/weights.ts';
import type { HostTensor } from '../../src-main/engine/tensor/tensor.ts';

/** The weights that `writePart` wrote, by parameter name ("vae.decoder.conv_in.weight"). */
export function readPart(
  folder: string,
  file = 'diffusion_pytorch_model.safetensors',
): (name: string) => HostTensor<'f32'> {
  const { tensors } = readSafetensors(join(folder, file));
  return (name) => {
    const entry = tensors.get(name.slice(name.indexOf('.') + 1));
    if (!entry) throw new Error(`${folder} has no ${name}`);
    return readF32(entry);
  };
}
