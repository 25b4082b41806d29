import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../files.ts';
import type { LoraAdapter } from './weightChanges.ts';
import { kohyaName } from '../names/kohya.ts';
import { peftModule, peftName } from '../names/peft.ts';
import { writeJson } from '../writeJson.ts';
import { writeSafetensors, type NamedTensor } from '../writeSafetensors.ts';

export interface LoraFormat {
  /** Type of the stored matrices; f32 when left out. */
  readonly dtype?: 'f32' | 'f16' | undefined;
}

/**
 * Writes `dir/unet` and `dir/text_encoder` (where there are adapters for them) as PEFT's `PeftModel.from_pretrained` reads them.
 * `transformers` says which version's names the text encoder gets. Errors: `file.unwritable`.
 */
export function writePeft(
  dir: string,
  adapters: readonly LoraAdapter[],
  options: LoraFormat & {
    readonly transformers?: 4 | 5 | undefined;
    readonly baseModel?: string | undefined;
  } = {},
): void {
  for (const part of ['unet', 'text_encoder'] as const) {
    const folder = join(dir, part);
    const own = adapters.filter((adapter) => adapter.part === part);
    if (!own.length) {
      // An older text encoder left there would be loaded too.
      rmSync(join(folder, 'adapter_config.json'), { force: true });
      rmSync(join(folder, 'adapter_model.safetensors'), { force: true });
      continue;
    }
    makeFolder(folder);
    const nameOf = ({ module }: LoraAdapter) => peftModule(part, module, options.transformers ?? 4);
    const tensors = own.flatMap((adapter): NamedTensor[] => [
      { name: peftName(nameOf(adapter), 'A'), tensor: adapter.A, dtype: options.dtype },
      { name: peftName(nameOf(adapter), 'B'), tensor: adapter.B, dtype: options.dtype },
    ]);
    writeSafetensors(join(folder, 'adapter_model.safetensors'), tensors, { format: 'pt' });
    writeJson(join(folder, 'adapter_config.json'), peftConfig(own, nameOf, options.baseModel));
  }
}

/** PEFT's `LoraConfig`; modules are named whole, so that no other is touched. Keys that are left out have PEFT's defaults. */
function peftConfig(
  adapters: readonly LoraAdapter[],
  nameOf: (adapter: LoraAdapter) => string,
  baseModel: string | undefined,
) {
  const rank = mostCommon(adapters.map((adapter) => adapter.rank));
  const alpha = mostCommon(adapters.map((adapter) => adapter.alpha));
  const differing = (key: 'rank' | 'alpha', usual: number) =>
    Object.fromEntries(
      adapters.filter((adapter) => adapter[key] !== usual).map((adapter) => [nameOf(adapter), adapter[key]]),
    );
  return {
    peft_type: 'LORA',
    task_type: null,
    base_model_name_or_path: baseModel ?? null,
    inference_mode: true,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    target_modules: adapters.map(nameOf).sort(),
    rank_pattern: differing('rank', rank),
    alpha_pattern: differing('alpha', alpha),
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
    modules_to_save: null,
    use_dora: false,
    use_rslora: false,
  };
}

/**
 * Writes diffusers' `pytorch_lora_weights.safetensors` into `dir`, so that `load_lora_weights(dir)` loads both networks, under the
 * names and with the `lora_adapter_metadata` of its `save_lora_weights` (0.35 and later read alphas from there). Errors: `file.unwritable`.
 */
export function writeDiffusersLora(
  dir: string,
  adapters: readonly LoraAdapter[],
  options: LoraFormat & { readonly metadata?: Readonly<Record<string, string>> | undefined } = {},
): void {
  const tensors = adapters.flatMap(({ part, module, A, B }): NamedTensor[] => {
    const stem = `${part}.${module}.${part === 'unet' ? 'lora' : 'lora_linear_layer'}`;
    return [
      { name: `${stem}.down.weight`, tensor: A, dtype: options.dtype },
      { name: `${stem}.up.weight`, tensor: B, dtype: options.dtype },
    ];
  });
  // Modules are found by the ends of their names, so transformers 5's shorter ones fit every version.
  const nameOf = ({ part, module }: LoraAdapter) => peftModule(part, module, 5);
  const configs = (['unet', 'text_encoder'] as const).flatMap((part) => {
    const own = adapters.filter((adapter) => adapter.part === part);
    return own.length
      ? Object.entries(peftConfig(own, nameOf, undefined)).map(([key, value]) => [`${part}.${key}`, value])
      : [];
  });
  writeSafetensors(join(dir, 'pytorch_lora_weights.safetensors'), tensors, {
    format: 'pt',
    lora_adapter_metadata: JSON.stringify(Object.fromEntries(configs)),
    ...options.metadata,
  });
}

/**
 * Writes one file in kohya-ss' naming, which every UI reads. `metadata` joins the `ss_…` keys that kohya's own trainer writes.
 * Errors: `file.unwritable`.
 */
export function writeKohya(
  file: string,
  adapters: readonly LoraAdapter[],
  options: LoraFormat & { readonly metadata?: Readonly<Record<string, string>> | undefined } = {},
): void {
  const tensors = [...adapters, ...emptyOutProjection(adapters)].flatMap(
    ({ part, module, alpha, A, B }): NamedTensor[] => {
      const name = kohyaName(part, module);
      const alphaTensor = { dtype: 'f32', shape: [], data: Float32Array.of(alpha) } as const;
      return [
        { name: `${name}.lora_down.weight`, tensor: A, dtype: options.dtype },
        { name: `${name}.lora_up.weight`, tensor: B, dtype: options.dtype },
        { name: `${name}.alpha`, tensor: alphaTensor, dtype: options.dtype },
      ];
    },
  );
  const ranks = adapters.map((adapter) => adapter.rank);
  const alphas = adapters.map((adapter) => adapter.alpha);
  writeSafetensors(file, tensors, {
    ss_network_module: 'networks.lora',
    ss_network_dim: String(mostCommon(ranks)),
    ss_network_alpha: String(mostCommon(alphas)),
    ...options.metadata,
  });
}

/**
 * diffusers (to 0.42 at least) tells a kohya file's text encoder part by an `out_proj` and refuses one without. A pair of zeros changes
 * no picture.
 */
function emptyOutProjection(adapters: readonly LoraAdapter[]): LoraAdapter[] {
  const text = adapters.filter(({ part }) => part === 'text_encoder');
  if (text.some(({ module }) => module.endsWith('.out_proj'))) return [];
  const inLayer = /^(.*\.layers\.\d+)\.(?:self_attn\.[qkv]_proj|mlp\.fc1)$/;
  const known = text.find(({ module }) => inLayer.test(module));
  const layer = inLayer.exec(known?.module ?? '')?.[1];
  const width = known?.A.shape[1];
  if (layer === undefined || width === undefined) return [];
  const zeros = (shape: readonly number[]) =>
    ({ dtype: 'f32', shape, data: new Float32Array(width) }) as const;
  const module = `${layer}.self_attn.out_proj`;
  return [{ part: 'text_encoder', module, rank: 1, alpha: 1, A: zeros([1, width]), B: zeros([width, 1]) }];
}

function mostCommon(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}
