import type { Model, TrainableNetworks } from '../model.ts';
import type { LoraName } from './loraNames.ts';
import { renamer, swapped } from './renamer.ts';
import { openClipNames, unetNames } from './singleFile.ts';

/**
 * Finds a LoRA's module in a model, whatever its spelling: diffusers' name, that of single files, either with underscores for dots.
 * The returned function gives the model's own name, or undefined for a module that it lacks.
 */
export function loraModules(
  model: TrainableNetworks,
): (name: Pick<LoraName, 'part' | 'module'>) => string | undefined {
  const { unet, textEncoder, textEncoder2 } = model;
  const parts = {
    unet: spellings(unet.weights.names(), renamer(swapped(unetNames(unet.config)))),
    text_encoder: ofTextEncoder(textEncoder),
    text_encoder_2: textEncoder2 ? ofTextEncoder(textEncoder2) : new Map<string, string>(),
  };
  return ({ part, module }) => parts[part].get(flat(module));
}

function ofTextEncoder({ config, weights }: Model['textEncoder']): Map<string, string> {
  return spellings(weights.names(), renamer(swapped(openClipNames(config.num_hidden_layers))));
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
