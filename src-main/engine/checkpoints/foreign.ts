import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isFile, isFolder } from './files.ts';

export const wholeModel = 'a whole model';
export const lora = 'a LoRA, which goes on top of a model';

/** By the names of their tensors, what files of weights are. The first sign that is found decides. */
const signs: readonly (readonly [sign: RegExp, found: string])[] = [
  [/^lora_(unet|te)|^lycoris_|\.lora_[AB]\.|\.lora_(up|down)\.|lora\.(up|down)\.|\.hada_w1|\.lokr_w1/, lora],
  [/^conditioner\.embedders\.0\.model\./, "SDXL's refiner, which only reworks another model's pictures"],
  [/^edm_mean$/, 'Playground 2.5, whose latents are shifted'],
  [/^edm_vpred\.sigma_max$/, 'CosXL, which has noise levels of its own'],
  [/(^|\.)joint_blocks\.0\./, 'a Stable Diffusion 3 model'],
  [/(^|\.)double_blocks\.0\./, 'a Flux model'],
  [/(^|\.)motion_modules\./, 'a motion module, as AnimateDiff uses'],
  [/^ip_adapter\.|^image_proj\./, 'an IP-Adapter'],
  [/^(adapter\.)?body\.\d+\.(block\d|resnets)/, 'a T2I-Adapter'],
  [/^control_model\.|^controlnet_|^input_hint_block\./, 'a ControlNet'],
  [
    /(^|\.)(conv_first\.|RRDB_trunk\.|model\.1\.sub\.0\.|body\.0\.rdb1\.)/,
    'an upscaler, which only enlarges pictures',
  ],
  [/^(320|640|768|1024|1280)\./, 'a hypernetwork'],
  [
    /^emb_params$|^string_to_param\.|^<.+>$/,
    'a textual inversion (an embedding), which goes on top of a model',
  ],
  [/^model\.diffusion_model\.input_blocks\./, wholeModel],
  [/^(model\.)?(diffusion_model\.)?blocks\.\d+\.(self_attn|cross_attn)\./, 'a model for video'],
  [/^(down_blocks|conv_in)\./, "a U-Net alone (a diffusers folder's part)"],
  [/^(input_blocks|output_blocks|time_embed)\./, 'a U-Net alone, without text encoder and VAE'],
  [/^model_ema\./, 'the averaged (EMA) weights of a training alone, without those that tools draw with'],
  [/^(encoder|decoder)\.(conv_in|down|up)/, 'a VAE alone'],
  [/^(text_model|vision_model|encoder\.layers)\./, 'a CLIP encoder alone'],
];

/** What a file with such tensors is, if it is a known kind of thing. */
export function kindOfTensors(names: Iterable<string>): string | undefined {
  const all = [...names];
  return signs.find(([sign]) => all.some((name) => sign.test(name)))?.[1];
}

/** Files of other programs, by their endings. */
const otherEndings: readonly (readonly [ending: RegExp, found: string])[] = [
  [/\.onnx$/i, 'an ONNX graph'],
  [/\.(h5|pb|tflite)$/i, 'weights of TensorFlow'],
  [/\.msgpack$/i, 'weights of Flax'],
  [/\.(mlmodel|mlpackage)$/i, 'a Core ML model'],
];

/** The same of a file that holds no weights of PyTorch. */
export function kindByEnding(file: string): string | undefined {
  return otherEndings.find(([ending]) => ending.test(file))?.[1];
}

/** What to give in place of a folder that is not one of those looked for. */
export interface Instead {
  readonly found: string;
  readonly instead: string;
}

const parts = /^(unet|vae|text_encoder(_2)?|tokenizer(_2)?|scheduler|safety_checker|feature_extractor)$/;
const weightFile = /\.(safetensors|ckpt|pt|bin)$/i;

/** For a folder that is no model: the model that it is a part of, or that lies in it. */
export function modelInstead(folder: string): Instead | undefined {
  const above = dirname(folder);
  if (parts.test(basename(folder)) && isFile(join(above, 'model_index.json')))
    return { found: `only a part (${basename(folder)}) of a model`, instead: `give ${above}` };
  return insteadIn(folder, 'model', (below) => isFile(join(below, 'model_index.json')));
}

/** For a folder that is no LoRA: those that lie in it. */
export function loraInstead(folder: string): Instead | undefined {
  return insteadIn(folder, 'LoRA', (below) =>
    ['pytorch_lora_weights.safetensors', 'pytorch_lora_weights.bin', 'adapter_config.json', 'run.json'].some(
      (name) => isFile(join(below, name)),
    ),
  );
}

function insteadIn(folder: string, what: string, isOne: (below: string) => boolean): Instead | undefined {
  const names = readdirSync(folder).sort(new Intl.Collator('en', { numeric: true }).compare);
  const files = names.filter((name) => weightFile.test(name) && isFile(join(folder, name)));
  const folders = names.filter((name) => isFolder(join(folder, name)) && isOne(join(folder, name)));
  const last = folders.at(-1) ?? files.at(-1);
  if (last === undefined) return undefined;
  const several = (folders.length > 0 ? folders : files).length > 1;
  return {
    found: several ? `a folder with several ${what}s` : `the folder above the ${what}`,
    instead: `give ${several ? 'one of them, such as' : ''} ${join(folder, last)}`.replace('  ', ' '),
  };
}
