import type { AdapterTensor } from '../../nn/scope.ts';
import type { LoraName } from './loraNames.ts';

const peftPrefix = 'base_model.model.';

/** A tensor's name in PEFT's `adapter_model.safetensors`; `module` as `peftModule` gives it. */
export function peftName(module: string, tensor: AdapterTensor): string {
  const ending = tensor === 'A' || tensor === 'B' ? `lora_${tensor}.weight` : tensor;
  return `${peftPrefix}${module}.${tensor === 'magnitude' ? 'lora_magnitude_vector' : ending}`;
}

/** The text encoder's modules lost their `text_model.` in transformers 5, and PEFT converts nothing. */
export function peftModule(part: LoraName['part'], module: string, transformers: 4 | 5): string {
  return part !== 'unet' && transformers === 5 ? module.replace(/^text_model\./, '') : module;
}
