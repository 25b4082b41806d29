import type { NetworkName } from '../model.ts';
import { publishedTextName } from './published.ts';

/** What a tensor is to its module. `A` and `B` are the down and up matrices; the rest are LyCORIS' names. */
export type LoraKind =
  | 'A'
  | 'B'
  | 'mid'
  | 'alpha'
  | 'magnitude'
  | 'dora_scale'
  | 'diff'
  | 'diff_b'
  | `hada_w${1 | 2}_${'a' | 'b'}`
  | `hada_t${1 | 2}`
  | `lokr_w${1 | 2}`
  | `lokr_w${1 | 2}_${'a' | 'b'}`
  | 'lokr_t2';

/** What a tensor of a LoRA file is. */
export interface LoraName {
  readonly part: NetworkName;
  /** Under diffusers' (published) name, or as in single files; `loraModules` finds either in a model. */
  readonly module: string;
  readonly kind: LoraKind;
}

/** A LoRA for another kind of model, or of a method that can't be used; the text says which. */
export class ForeignLora {
  constructor(readonly what: string) {}
}

const endings: readonly (readonly [ending: RegExp, kind: LoraKind | undefined])[] = [
  // Where PEFT's own state is saved, the adapter has a name: `lora_A.default.weight`, `lora_A.my-dog.weight`.
  [/\.lora_(A|down)(\.[^.]+)?\.weight$|\.lora(_linear_layer)?\.down\.weight$|_lora\.down\.weight$/, 'A'],
  [/\.lora_(B|up)(\.[^.]+)?\.weight$|\.lora(_linear_layer)?\.up\.weight$|_lora\.up\.weight$/, 'B'],
  [/\.lora_mid\.weight$/, 'mid'],
  [/(_lora|\.lora(_linear_layer)?)?\.alpha$/, 'alpha'],
  [/\.lora_magnitude_vector(\.[^.]+){0,2}$/, 'magnitude'],
  [/\.dora_scale$/, 'dora_scale'],
  [/\.(diff|w_norm)$/, 'diff'],
  [/\.(diff_b|b_norm)$/, 'diff_b'],
  // Named by what they are: the kind is the ending itself.
  [/\.(hada_w[12]_[ab]|hada_t[12]|lokr_w[12](_[ab])?|lokr_t2)$/, undefined],
];

/** Tensors of methods that can't be used. */
const foreignMethods: readonly (readonly [sign: RegExp, what: string])[] = [
  [/^(lora|lycoris)_.+\.(a1|a2|b1|b2|bm1|bm2)\.weight$/, 'it is a GLoRA'],
  [/\.[pq]_layer\.weight$|\.lambda_layer$/, 'it is a T-LoRA'],
  [/\.b?oft_(blocks|diag|r|s)\b/i, 'it is an OFT'],
  [/\.on_input$|\.ia3_l\b/, 'it is an (IA)³'],
  [/\.vera_lambda_/, 'it is a VeRA'],
  [/\.lora_E(\.|$)/, 'it is an AdaLoRA'],
  [
    /\.(adamss|beft|c3a|deft|delora|fourierft|frod|glora|gralora|hira|hra|lily|ln_tuning|miss|osf|peanut|poly|psoft|pvera_lambda|randlora|road|shadow|shira|supertuning|tinylora|unilora|vblora|waveft)_/,
    "it is of one of PEFT's other methods",
  ],
  [/\.lora_(A|B)(\.[^.]+)?\.bias$/, 'its matrices have biases (lora_bias)'],
  [
    /^(unet|text_encoder):\d+:(up|down)$/,
    "it is lora_diffusion's, which numbers modules instead of naming them",
  ],
];

/** Modules of other models. */
const foreignModels: readonly (readonly [sign: RegExp, what: string])[] = [
  [/^lora_(transformer|te3)_|^transformer\./, 'it is for a transformer, such as Flux or Stable Diffusion 3'],
  [
    /^(lora_unet_|base_model\.model\.|diffusion_model\.)?(double|single|joint)_(transformer_)?blocks/,
    'it is for a transformer, such as Flux or Stable Diffusion 3',
  ],
  [
    /^(lora_unet_|diffusion_model\.|base_model\.model\.)?blocks[._]\d+[._](self|cross)_attn/,
    'it is for a model that makes video',
  ],
];

/**
 * Reads a tensor name of any tool: PEFT (`base_model.model.…lora_A.weight`), diffusers new and old (`unet.…lora.down.weight`,
 * `….processor.to_q_lora.down.weight`, 0.16's `self_attn.to_q_lora`), kohya and LyCORIS (`lora_unet_…`, with diffusers' or single
 * files' names), LyCORIS' wrapper (`lycoris_…`), ComfyUI (`diffusion_model.input_blocks…`), OneTrainer's OMI (`clip_l.…`). Undefined for what is no tensor of a LoRA.
 * `part` says what the file is for where its names don't.
 */
export function readLoraName(name: string, part?: LoraName['part']): LoraName | ForeignLora | undefined {
  const method = foreignMethods.find(([sign]) => sign.test(name));
  if (method) return new ForeignLora(method[1]);
  const [ending, known] = endings.find(([pattern]) => pattern.test(name)) ?? [];
  if (!ending) return undefined;
  const model = foreignModels.find(([sign]) => sign.test(name));
  if (model) return new ForeignLora(model[1]);
  const kind = known ?? (name.slice(name.lastIndexOf('.') + 1) as LoraKind);
  // LyCORIS' wrapper, as SimpleTuner trains with it, covers only the U-Net.
  const flat = /^(?:lora_(?:unet|(te[12]?))|lycoris)_(\w+)$/.exec(name.replace(ending, ''));
  if (flat) return place(textParts[flat[1] ?? ''] ?? 'unet', dotted(flat[2] as string), kind);
  return readStem(name.replace(ending, ''), kind, part);
}

/** kohya's names of the text encoders: SDXL's have numbers. */
const textParts: Readonly<Record<string, NetworkName>> = {
  ...{ te: 'text_encoder', te1: 'text_encoder', te2: 'text_encoder_2' },
};

/** Prefixes of the networks, in diffusers', single files' and ComfyUI's names. */
const prefixes: readonly (readonly [prefix: RegExp, part: LoraName['part']])[] = [
  [/^(unet|(model\.)?diffusion_model)\./, 'unet'],
  [
    /^(text_encoder|(cond_stage_model|conditioner\.embedders\.0)\.(transformer|model)|(text_encoders\.)?clip_[lh](\.transformer)?)\./,
    'text_encoder',
  ],
  [
    /^(text_encoder_2|conditioner\.embedders\.1\.model|(text_encoders\.)?clip_g(\.transformer)?)\./,
    'text_encoder_2',
  ],
];

function readStem(stem: string, kind: LoraKind, part: LoraName['part'] | undefined): LoraName {
  const bare = stem.replace(/^base_model\.model\./, '').replace('.processor.', '.');
  const [prefix, named] = prefixes.find(([pattern]) => pattern.test(bare)) ?? [];
  const module = prefix ? bare.replace(prefix, '') : bare;
  return place(named ?? part ?? (isUNetModule(module) ? 'unet' : 'text_encoder'), module, kind);
}

function place(part: LoraName['part'], module: string, kind: LoraKind): LoraName {
  if (part === 'unet') return { part, module: module.replace(/\.to_out$/, '.to_out.0'), kind };
  // diffusers 0.16 gave CLIP's projections the names of its own attention.
  const own = module.replace(
    /\bself_attn\.to_(q|k|v|out)$/,
    (_, letter: string) => `self_attn.${letter}_proj`,
  );
  return { part, module: publishedTextName(own) ?? own, kind };
}

const isUNetModule = (module: string): boolean =>
  /^(down_blocks|mid_block|up_blocks|time_embedding|add_embedding|label_emb|conv_in|conv_norm_out|conv_out|input_blocks|middle_block|output_blocks|time_embed|out)\./.test(
    `${module}.`,
  );

// Words with an underscore of their own in the modules' names.
const words = [
  ...['down_blocks', 'mid_block', 'up_blocks', 'transformer_blocks', 'time_embedding', 'time_emb_proj'],
  ...['add_embedding', 'label_emb', 'text_projection'],
  ...['linear_1', 'linear_2', 'conv_in', 'conv_out', 'conv_norm_out', 'conv_shortcut', 'proj_in', 'proj_out'],
  ...['to_q', 'to_k', 'to_v', 'to_out', 'text_model', 'self_attn', 'q_proj', 'k_proj', 'v_proj', 'out_proj'],
  ...['input_blocks', 'middle_block', 'output_blocks', 'time_embed', 'in_layers', 'out_layers', 'emb_layers'],
  ...[
    'skip_connection',
    'final_layer_norm',
    'layer_norm1',
    'layer_norm2',
    'token_embedding',
    'position_embedding',
  ],
];
const wordPattern = new RegExp(`(?:${words.join('|')})(?=_|$)|[^_]+`, 'g');

/** kohya's names have underscores for dots. */
function dotted(flat: string): string {
  return (flat.match(wordPattern) ?? []).join('.');
}
