import { readdirSync } from 'node:fs';
import path from 'node:path';
import { isFolder } from '../../engine/checkpoints/files.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { readSafetensors } from '../../engine/checkpoints/safetensors.ts';
import { writeJson } from '../../engine/checkpoints/writeJson.ts';
import { writeAtomically } from '../../engine/checkpoints/writeSafetensors.ts';
import type { UNetConfig } from '../../engine/models/config.ts';
import { featuresOf } from '../../engine/coreml/readPackage.ts';
import { sharpOf } from '../../engine/pictures/pictures.ts';
import { Sheet } from '../../engine/pictures/sheet.ts';
import { receiptPlace, type GuidanceReceipt, type Receipt } from '../../../src-shared/domain/receipt.ts';
import { compileNote } from './coreml/exportCoreml.ts';
import type { TitledPicture } from './proof.ts';
import type { ExportFormat } from './request.ts';

/** What other tools look for in a format: names of tensors, or files. */
interface Loader {
  readonly tools: string;
  readonly names: RegExp;
  /** Which names it looks at; all when left out. */
  readonly among?: RegExp;
}

const parts = /^(unet|vae|vae_encoder|vae_decoder|text_encoder(_2)?)\//;

/** From each tool's own loader; tensors in folders are FILE/NAME. */
const loaders: Readonly<Record<ExportFormat, readonly Loader[]>> = {
  kohya: [
    {
      tools: "kohya's sd-scripts, AUTOMATIC1111, Forge, ComfyUI, diffusers load_lora_weights",
      names: /^lora_(unet|te[12]?)_[a-z0-9_]+\.(lora_down\.weight|lora_up\.weight|alpha|dora_scale)$/,
    },
  ],
  peft: [
    {
      tools: 'PeftModel.from_pretrained of PEFT, on the folder of each network',
      names: /^(unet|text_encoder(_2)?)\/base_model\.model\..+\.lora_[AB]\.weight$/,
      among: /\//,
    },
    {
      tools: 'load_lora_weights of diffusers 0.35 or later, on the folder',
      names: /^(unet|text_encoder(_2)?)\./,
      among: /^[^/]+$/,
    },
  ],
  diffusers: [{ tools: 'DiffusionPipeline.from_pretrained of diffusers', names: parts }],
  'single-file': [
    {
      tools: 'AUTOMATIC1111, Forge, ComfyUI, from_single_file of diffusers',
      names: /^(model\.diffusion_model|first_stage_model|cond_stage_model|conditioner\.embedders)\./,
    },
  ],
  embedding: [
    {
      tools: 'AUTOMATIC1111, Forge, ComfyUI, load_textual_inversion of diffusers',
      names: /./,
    },
  ],
  onnx: [
    {
      tools: "Optimum's ORTStableDiffusionPipeline, diffusers' OnnxStableDiffusionPipeline, ONNX Runtime",
      names: parts,
    },
  ],
  coreml: [
    {
      tools: "Apple's Core ML Stable Diffusion library, once a Mac has compiled the packages",
      names: new RegExp(
        [
          '^(TextEncoder2?\\.mlpackage/(input_ids|last_hidden_state|hidden_embeds|pooled_outputs)',
          'Unet\\.mlpackage/(sample|timestep|encoder_hidden_states|time_ids|text_embeds|noise_pred)',
          'VAEDecoder\\.mlpackage/(z|image)|VAEEncoder\\.mlpackage/(x|latent))$',
        ].join('|'),
      ),
    },
  ],
};

/** A1111 and Forge number blocks as Stable Diffusion 1's U-Net has them; diffusers' converter for single files expects its middle block. */
function hasUsualBlocks({
  layers_per_block,
  mid_block_type,
  down_block_types,
  addition,
  transformer_layers_per_block: down,
  reverse_transformer_layers_per_block: up,
}: UNetConfig): boolean {
  const hasPairs = layers_per_block.every((layers) => layers === 2);
  if (addition) {
    const depths = (list: typeof down): string => JSON.stringify(list.map(([first]) => first));
    const isEven = [...down, ...up].every((block) => block.every((depth) => depth === block[0]));
    return (
      hasPairs &&
      mid_block_type === 'UNetMidBlock2DCrossAttn' &&
      isEven &&
      depths(down) === depths([...up].reverse())
    );
  }
  return hasPairs && down_block_types.length === 4 && mid_block_type !== null;
}

/** Why tools that know only the usual blocks can't use an export; nothing where they can. */
export function unusualBlocks(format: ExportFormat, { path: file, unet }: Model): string | undefined {
  if (hasUsualBlocks(unet.config)) return undefined;
  if (unet.config.addition) return unusualXl(format, file);
  if (format === 'single-file')
    return `${file} has other blocks than Stable Diffusion 1 and 2 have, which a single file does not say: Likeness opens it, but AUTOMATIC1111 and Forge can't, and other programs may not. A diffusers folder can be opened by every program that uses diffusers.`;
  if (format === 'kohya')
    return `${file} has other blocks than Stable Diffusion 1 and 2 have, and AUTOMATIC1111 and Forge find a LoRA's modules by the numbers of theirs: use it in ComfyUI, or in programs that use diffusers, with this model.`;
  return undefined;
}

/** ComfyUI's `model_detection.py` tells SSD-1B, Vega and KOALA by the depths of their transformers. */
function unusualXl(format: ExportFormat, file: string): string | undefined {
  if (format === 'single-file')
    return `${file} has other blocks than SDXL has: ComfyUI knows those of SSD-1B, Segmind-Vega and KOALA, AUTOMATIC1111 doesn't, and from_single_file of diffusers wants the model's diffusers folder as config. Such a folder (--format diffusers) is the safer choice.`;
  if (format === 'kohya')
    return `${file} has other blocks than SDXL has, and a LoRA for it fits no other model: use it in ComfyUI, or in programs that use diffusers, with this model.`;
  return undefined;
}

/** Tools that can open the format whatever the model's blocks are. */
const whateverBlocks: { readonly [F in ExportFormat]?: string } = {
  kohya: "kohya's sd-scripts, diffusers load_lora_weights, ComfyUI",
  'single-file': 'Likeness',
};

export interface ReceiptFacts {
  readonly format: ExportFormat;
  /** With the usual blocks when left out. */
  readonly model?: Model;
  readonly step: number;
  readonly tensors: number;
  readonly maxError: number;
  readonly prompt: string;
  /** Before, after, as read back. */
  readonly pictures: readonly TitledPicture[];
  readonly guidance?: GuidanceReceipt | undefined;
}

/**
 * Writes NAME.receipt.json and NAME.receipt.png beside an export: how it was read back, with what result, which of its tensors
 * each tool looks for, and a picture before and after. Errors: `file.unwritable`.
 */
export async function writeReceipt(out: string, facts: ReceiptFacts): Promise<void> {
  const { format, model, step, tensors, maxError, prompt, pictures, guidance } = facts;
  const isUnusual = model !== undefined && unusualBlocks(format, model) !== undefined;
  const whatever = isUnusual ? whateverBlocks[format] : undefined;
  const names = tensorNames(out, format);
  const receipt: Receipt = {
    export: path.basename(out),
    ...{ format, step },
    opened: [
      {
        by: 'Likeness, from the written file',
        compared:
          format === 'onnx' || format === 'coreml'
            ? 'the result of each network'
            : 'the latents of one picture',
        ...{ prompt, tensors, largestDifference: maxError },
      },
    ],
    looked_for: loaders[format].map(({ tools, names: wanted, among = /./ }) => ({
      tools: whatever ?? tools,
      pattern: wanted.source,
      found: names.filter((one) => wanted.test(one)).length,
      of: names.filter((one) => among.test(one)).length,
    })),
    ...(guidance && { guidance }),
    ...(format === 'coreml' && { next: compileNote }),
    note: 'Only what stands under "opened" was run. Under "looked_for" names were compared with what those tools read.',
  };
  writeJson(receiptPlace(out, 'json'), receipt);
  const png = await comparison(pictures);
  writeAtomically(receiptPlace(out, 'png'), () => [png]);
}

/**
 * The tensors of a file; of a folder, those of its files as PART/NAME, or NAME for a file in the folder itself. Of Core ML's packages,
 * what they are fed and give.
 */
function tensorNames(out: string, format: ExportFormat): string[] {
  if (!isFolder(out)) return [...readSafetensors(out).tensors.keys()];
  if (format === 'coreml')
    return readdirSync(out)
      .filter((name) => name.endsWith('.mlpackage'))
      .flatMap((name) => featuresOf(path.join(out, name)).map((feature) => `${name}/${feature}`));
  return readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.safetensors'))
    .flatMap(({ parentPath, name }) => {
      const part = path.relative(out, parentPath);
      const names = [...readSafetensors(path.join(parentPath, name)).tensors.keys()];
      return part === '' ? names : names.map((one) => `${part}/${one}`);
    });
}

const tile = 256;
const gap = 12;
const titleHeight = 28;

async function comparison(pictures: ReceiptFacts['pictures']): Promise<Buffer> {
  const sheet = await Sheet.begin();
  const top = gap + (sheet.labelled ? titleHeight : 0);
  for (const [i, { title, picture }] of pictures.entries()) {
    const left = gap + i * (tile + gap);
    await sheet.lay(sharpOf(picture), { left, top, width: tile, height: tile, fit: 'contain' });
    await sheet.write(title, tile, { left, top: gap });
  }
  return sheet.png(gap + pictures.length * (tile + gap), top + tile + gap);
}
