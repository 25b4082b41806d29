import type { LoraName } from './loraNames.ts';

const peftPrefix = 'base_model.model.';

/** A tensor's name in PEFT's `adapter_model.safetensors`; `module` as `peftModule` gives it. */
export function peftName(module: string, matrix: 'A' | 'B'): string {
  return `${peftPrefix}${module}.lora_${matrix}.weight`;
}

/** The text encoder's modules lost their `text_model.` in transformers 5, and PEFT converts nothing. */
export function peftModule(part: LoraName['part'], module: string, transformers: 4 | 5): string {
  return part === 'text_encoder' && transformers === 5 ? module.replace(/^text_model\./, '') : module;
}
