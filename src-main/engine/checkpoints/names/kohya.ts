import { ForeignLora, type LoraName } from './loraNames.ts';
import { publishedTextName } from './published.ts';

/**
 * kohya-ss' sd-scripts (`networks/lora.py`) name a module by its prefix and diffusers' name with underscores for dots:
 * `lora_unet_down_blocks_0_…_to_q.lora_down.weight`, and scale by `….alpha` over the rank.
 */
export function kohyaName(part: LoraName['part'], module: string): string {
  return `lora_${part === 'unet' ? 'unet' : 'te'}_${module.replaceAll('.', '_')}`;
}

// Words with an underscore of their own in diffusers' and CLIP's module names.
const words = [
  ...[
    'down_blocks',
    'mid_block',
    'up_blocks',
    'transformer_blocks',
    'time_embedding',
    'time_emb_proj',
    'linear_1',
    'linear_2',
  ],
  ...['conv_in', 'conv_out', 'conv_shortcut', 'proj_in', 'proj_out', 'to_q', 'to_k', 'to_v', 'to_out'],
  ...['text_model', 'self_attn', 'q_proj', 'k_proj', 'v_proj', 'out_proj'],
];
const wordPattern = new RegExp(`(?:${words.join('|')})(?=_|$)|[^_]+`, 'g');

/** Reads a kohya tensor name; undefined for a name of another kind. */
export function readKohyaName(name: string): LoraName | ForeignLora | undefined {
  const match = /^lora_(unet|te|te1|te2)_(\w+)\.([\w.]+)$/.exec(name);
  if (!match) return undefined;
  const [, prefix, flat, rest] = match as unknown as [string, string, string, string];
  if (prefix === 'te2') return new ForeignLora('it is for SDXL');
  if (/^(hada|lokr|oft|dora|lora_mid|diff|on_input)/.test(rest))
    return new ForeignLora(`it holds ${rest.split('.')[0]} tensors`);
  const kind = ({ 'lora_down.weight': 'A', 'lora_up.weight': 'B', alpha: 'alpha' } as const)[rest];
  const module = (flat.match(wordPattern) ?? []).join('.');
  if (!kind) return undefined;
  if (prefix === 'unet') return { part: 'unet', module, kind };
  return { part: 'text_encoder', module: publishedTextName(module) ?? module, kind };
}
