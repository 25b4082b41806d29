import { join } from 'node:path';
import { makeFolders } from '../../../makeFolders.ts';
import { isFile } from '../../checkpoints/files.ts';
import { networkNames, type Model, type NetworkName } from '../../checkpoints/model.ts';
import { readSafetensors } from '../../checkpoints/safetensors.ts';
import { writePeft } from '../../checkpoints/lora/writeLora.ts';
import { writeSafetensors } from '../../checkpoints/writeSafetensors.ts';
import type { HostTensor, FileTensor } from '../../tensor/tensor.ts';
import { writeEmbeddings } from '../../checkpoints/embedding.ts';
import { presentWords } from '../loss/trainedWords.ts';
import { finishedLora } from '../loss/trainedLora.ts';
import type { Trained } from '../loss/parameters.ts';

/** Where whole networks of a checkpoint lie, below its folder; LoRA checkpoints are PEFT folders. */
export const trainedFiles = {
  unet: join('unet', 'diffusion_pytorch_model.safetensors'),
  text_encoder: join('text_encoder', 'model.safetensors'),
  text_encoder_2: join('text_encoder_2', 'model.safetensors'),
} as const satisfies Record<NetworkName, string>;

/** The whole networks in a checkpoint's folder, by part and the tensor's name there; none of a LoRA's. Errors: `weights.*`. */
export function readWholeNetworks(folder: string): Map<NetworkName, ReadonlyMap<string, FileTensor>> {
  const parts = networkNames.filter((part) => isFile(join(folder, trainedFiles[part])));
  return new Map(parts.map((part) => [part, readSafetensors(join(folder, trainedFiles[part])).tensors]));
}

/** The tensor of that full name, `unet.conv_in.weight`. */
export function wholeTensor(
  parts: ReturnType<typeof readWholeNetworks>,
  name: string,
): FileTensor | undefined {
  const [part, ...rest] = name.split('.');
  return parts.get(part as NetworkName)?.get(rest.join('.'));
}

/** Writes what a run trains, with its present values: PEFT folders, whole networks in f32, or files of embeddings. */
export function writeTrained(
  folder: string,
  model: Model,
  trained: Trained,
  value: (name: string) => HostTensor<'f32'>,
): void {
  if (trained.loras.length > 0) {
    const adapters = trained.loras.flatMap(({ part, lora }) => finishedLora(part, lora, value));
    writePeft(folder, adapters, { baseModel: model.path });
    return;
  }
  if (trained.words) {
    writeEmbeddings(folder, presentWords(trained.words, value));
    return;
  }
  for (const part of networkNames) {
    const names = trained.names.filter((name) => name.startsWith(`${part}.`));
    if (names.length === 0) continue;
    const file = join(folder, trainedFiles[part]);
    makeFolders(join(file, '..'));
    writeSafetensors(
      file,
      names.map((name) => ({ name: name.slice(part.length + 1), tensor: value(name) })),
      { format: 'pt' },
    );
  }
}
