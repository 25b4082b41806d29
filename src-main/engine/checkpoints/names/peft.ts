import { ForeignLora, isUNetModule, type LoraName } from './loraNames.ts';
import { publishedTextName } from './published.ts';

const peftPrefix = 'base_model.model.';

/** A tensor's name in PEFT's `adapter_model.safetensors`; `module` as `peftModule` gives it. */
export function peftName(module: string, matrix: 'A' | 'B'): string {
  return `${peftPrefix}${module}.lora_${matrix}.weight`;
}

/** The text encoder's modules lost their `text_model.` in transformers 5, and PEFT converts nothing. */
export function peftModule(part: LoraName['part'], module: string, transformers: 4 | 5): string {
  return part === 'text_encoder' && transformers === 5 ? module.replace(/^text_model\./, '') : module;
}

const endings: readonly (readonly [ending: RegExp, kind: LoraName['kind']])[] = [
  [
    /\.lora_A(\.default)?\.weight$|\.lora\.down\.weight$|\.lora_linear_layer\.down\.weight$|_lora\.down\.weight$/,
    'A',
  ],
  [
    /\.lora_B(\.default)?\.weight$|\.lora\.up\.weight$|\.lora_linear_layer\.up\.weight$|_lora\.up\.weight$/,
    'B',
  ],
  [/\.alpha$/, 'alpha'],
];

/**
 * Reads a tensor name of PEFT or of diffusers' `pytorch_lora_weights.safetensors`, new and old: `unet.…to_q.lora_A.weight`,
 * `unet.…to_q.lora.down.weight`, `unet.…attn1.processor.to_q_lora.down.weight`, `text_encoder.…q_proj.lora_linear_layer.…`.
 * `part` says what the file is for where its names don't.
 */
export function readPeftName(name: string, part?: LoraName['part']): LoraName | ForeignLora | undefined {
  if (name.startsWith('text_encoder_2.')) return new ForeignLora('it is for SDXL');
  if (name.includes('lora_magnitude_vector')) return new ForeignLora('it is a DoRA');
  const [ending, kind] = endings.find(([pattern]) => pattern.test(name)) ?? [];
  if (!ending || !kind) return undefined;
  const stem = name.replace(ending, '').replace(/^base_model\.model\./, '');
  const named = /^(unet|text_encoder)\./.exec(stem)?.[1] as LoraName['part'] | undefined;
  const module = stem
    .replace(/^(unet|text_encoder)\./, '')
    .replace('.processor.', '.')
    .replace(/\.to_out$/, '.to_out.0');
  const found = named ?? part ?? (isUNetModule(module) ? 'unet' : 'text_encoder');
  return { part: found, module: found === 'unet' ? module : (publishedTextName(module) ?? module), kind };
}
