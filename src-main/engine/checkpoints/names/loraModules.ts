import type { Model } from '../model.ts';
import type { LoraName } from './loraNames.ts';
import { renamer, swapped } from './renamer.ts';
import { openClipNames, unetNames } from './singleFile.ts';

/**
 * Finds a LoRA's module in a model, whatever its spelling: diffusers' name, that of single files, either with underscores for dots.
 * The returned function gives the model's own name, or undefined for a module that it lacks.
 */
export function loraModules(
  model: Pick<Model, 'unet' | 'textEncoder'>,
): (name: Pick<LoraName, 'part' | 'module'>) => string | undefined {
  const { unet, textEncoder } = model;
  const parts = {
    unet: spellings(unet.weights.names(), renamer(swapped(unetNames(unet.config)))),
    text_encoder: spellings(
      textEncoder.weights.names(),
      renamer(swapped(openClipNames(textEncoder.config.num_hidden_layers))),
    ),
  };
  return ({ part, module }) => parts[part].get(flat(module));
}

function spellings(
  tensors: readonly string[],
  singleFileName: (name: string) => string | undefined,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const tensor of tensors) {
    if (!tensor.endsWith('.weight')) continue;
    const module = tensor.slice(0, -'.weight'.length);
    found.set(flat(module), module);
    const theirs = singleFileName(module);
    if (theirs !== undefined) found.set(flat(theirs), module);
  }
  return found;
}

const flat = (module: string): string => module.replaceAll('.', '_');
