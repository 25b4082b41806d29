import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../files.ts';
import { tensorEntries, type AdapterMethod, type AdapterTensor } from '../../nn/scope.ts';
import type { HostTensor } from '../../tensor/tensor.ts';
import { asPair, storedLora, type LoraAdapter, type StoredAdapter } from './weightChanges.ts';
import { nameOfPlace } from '../nameOfPlace.ts';
import { networkNames, type Model } from '../model.ts';
import { kohyaNames } from '../names/kohya.ts';
import { peftModule, peftName } from '../names/peft.ts';
import { writeJson } from '../writeJson.ts';
import { writeSafetensors, type NamedTensor } from '../writeSafetensors.ts';

export interface LoraFormat {
  /** Type of the stored matrices; f32 when left out. */
  readonly dtype?: 'f32' | 'f16' | undefined;
}

/** What is written: an adapter as it is stored, or a pair of matrices. */
type Written = StoredAdapter | LoraAdapter;
const asStored = (adapter: Written): StoredAdapter => ('A' in adapter ? storedLora(adapter) : adapter);

/**
 * Writes `dir/unet`, `dir/text_encoder` and `dir/text_encoder_2` (where there are adapters for them) as PEFT's `PeftModel.from_pretrained` reads them.
 * `transformers` says which version's names the text encoder gets. Errors: `file.unwritable`.
 */
export function writePeft(
  dir: string,
  adapters: readonly Written[],
  options: LoraFormat & {
    readonly transformers?: 4 | 5 | undefined;
    readonly baseModel?: string | undefined;
  } = {},
): void {
  for (const part of networkNames) {
    const folder = join(dir, part);
    const own = adapters.filter((adapter) => adapter.part === part).map(asStored);
    if (!own.length) {
      // An older text encoder left there would be loaded too.
      rmSync(join(folder, 'adapter_config.json'), { force: true });
      rmSync(join(folder, 'adapter_model.safetensors'), { force: true });
      continue;
    }
    makeFolder(folder);
    const nameOf = ({ module }: StoredAdapter) => peftModule(part, module, options.transformers ?? 4);
    const tensors = own.flatMap((adapter): NamedTensor[] =>
      tensorEntries(adapter.tensors).map(([name, tensor]) => ({
        name: peftName(nameOf(adapter), name),
        tensor: name === 'magnitude' ? asPeftHasIt(tensor, adapter) : tensor,
        dtype: options.dtype,
      })),
    );
    writeSafetensors(join(folder, 'adapter_model.safetensors'), tensors, { format: 'pt' });
    writeJson(join(folder, 'adapter_config.json'), peftConfig(own, nameOf, options.baseModel));
  }
}

/** PEFT's configuration of the adapters' method; modules are named whole, so that no other is touched. Keys that are left out have PEFT's defaults. */
function peftConfig(
  adapters: readonly StoredAdapter[],
  nameOf: (adapter: StoredAdapter) => string,
  baseModel: string | undefined,
) {
  const rank = mostCommon(adapters.map((adapter) => adapter.rank));
  const alpha = mostCommon(adapters.map((adapter) => adapter.alpha));
  const differing = (key: 'rank' | 'alpha', usual: number) =>
    Object.fromEntries(
      adapters.filter((adapter) => adapter[key] !== usual).map((adapter) => [nameOf(adapter), adapter[key]]),
    );
  return {
    task_type: null,
    base_model_name_or_path: baseModel === undefined ? null : nameOfPlace(baseModel),
    inference_mode: true,
    r: rank,
    target_modules: adapters.map(nameOf).sort(),
    rank_pattern: differing('rank', rank),
    alpha_pattern: differing('alpha', alpha),
    modules_to_save: null,
    ...peftKeys[adapters[0]?.method ?? 'lora'](alpha),
  };
}

/** What PEFT's configurations call their own. */
const peftKeys: Readonly<Record<AdapterMethod, (alpha: number) => object>> = {
  lora: (alpha) => loraKeys(alpha, false),
  dora: (alpha) => loraKeys(alpha, true),
  loha: (alpha) => ({ peft_type: 'LOHA', alpha, ...lycorisKeys }),
  lokr: (alpha) => ({
    ...{ peft_type: 'LOKR', alpha, ...lycorisKeys, decompose_both: false, decompose_factor: -1 },
  }),
};

const loraKeys = (alpha: number, dora: boolean) => ({
  ...{ peft_type: 'LORA', lora_alpha: alpha, lora_dropout: 0, bias: 'none', fan_in_fan_out: false },
  ...{ init_lora_weights: true, use_dora: dora, use_rslora: false },
});

const lycorisKeys = {
  ...{ rank_dropout: 0, module_dropout: 0, use_effective_conv2d: false, init_weights: true },
};

/**
 * Writes diffusers' `pytorch_lora_weights.safetensors` into `dir`, so that `load_lora_weights(dir)` loads all networks, under the
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
  const nameOf = ({ part, module }: StoredAdapter) => peftModule(part, module, 5);
  const configs = networkNames.flatMap((part) => {
    const own = adapters.filter((adapter) => adapter.part === part);
    return own.length
      ? Object.entries(peftConfig(own.map(storedLora), nameOf, undefined)).map(([key, value]) => [
          `${part}.${key}`,
          value,
        ])
      : [];
  });
  writeSafetensors(join(dir, 'pytorch_lora_weights.safetensors'), tensors, {
    format: 'pt',
    lora_adapter_metadata: JSON.stringify(Object.fromEntries(configs)),
    ...options.metadata,
  });
}

/**
 * Writes one file in kohya-ss' naming, and LyCORIS' for its methods, which every UI reads. `metadata` joins the `ss_…` keys that kohya's
 * own trainer writes. Errors: `file.unwritable`.
 */
export function writeKohya(
  file: string,
  adapters: readonly Written[],
  options: LoraFormat & {
    readonly metadata?: Readonly<Record<string, string>> | undefined;
    /** SDXL's files have names of their own. */
    readonly model?: Pick<Model, 'unet' | 'textEncoder2'> | undefined;
  } = {},
): void {
  const nameOf = kohyaNames(options.model);
  const own = adapters.map(asStored);
  const method = own[0]?.method ?? 'lora';
  const pairs = own.flatMap((adapter) => asPair(adapter) ?? []);
  const tensors = [...own, ...emptyOutProjections(pairs).map(storedLora)].flatMap(
    (adapter): NamedTensor[] => {
      const name = nameOf(adapter.part, adapter.module);
      const alpha = { dtype: 'f32', shape: [], data: Float32Array.of(adapter.alpha) } as const;
      const [first, second] = [adapter.tensors.lokr_w1, adapter.tensors.lokr_w2];
      // LyCORIS passes over the alpha of a LoKr of two whole matrices.
      const fixed =
        first && second
          ? { ...adapter, tensors: { lokr_w1: times(first, adapter), lokr_w2: second } }
          : adapter;
      return [
        ...tensorEntries(fixed.tensors).map(([kind, tensor]) => ({
          name: `${name}.${kohyaEndings[kind] ?? kind}`,
          tensor: kind === 'magnitude' ? asColumn(tensor, adapter) : tensor,
          dtype: options.dtype,
        })),
        { name: `${name}.alpha`, tensor: alpha, dtype: options.dtype },
      ];
    },
  );
  writeSafetensors(file, tensors, {
    ...networkKeys[method],
    ss_network_dim: String(mostCommon(own.map((adapter) => adapter.rank))),
    ss_network_alpha: String(mostCommon(own.map((adapter) => adapter.alpha))),
    ...options.metadata,
  });
}

const kohyaEndings: Partial<Record<AdapterTensor, string>> = {
  ...{ A: 'lora_down.weight', B: 'lora_up.weight', magnitude: 'dora_scale' },
};

/** The trainer that files of a method are known by. */
const networkKeys: Readonly<Record<AdapterMethod, Readonly<Record<string, string>>>> = {
  lora: { ss_network_module: 'networks.lora' },
  dora: lycoris({ algo: 'lora', dora_wd: true, wd_on_output: true }),
  loha: lycoris({ algo: 'loha' }),
  lokr: lycoris({ algo: 'lokr', factor: -1 }),
};

function lycoris(args: object): Record<string, string> {
  return { ss_network_module: 'lycoris.kohya', ss_network_args: JSON.stringify(args) };
}

function times(tensor: HostTensor<'f32'>, { alpha, rank }: StoredAdapter): HostTensor<'f32'> {
  return { ...tensor, data: tensor.data.map((value) => (value * alpha) / rank) };
}

/** DoRA's magnitudes as PEFT has them: [out], of a convolution [1, out, 1, 1]. */
function asPeftHasIt(magnitude: HostTensor<'f32'>, { tensors }: StoredAdapter): HostTensor<'f32'> {
  const kernel = (tensors.A?.shape ?? []).slice(2);
  return kernel.length === 0
    ? magnitude
    : { ...magnitude, shape: [1, magnitude.data.length, ...kernel.map(() => 1)] };
}

/** DoRA's magnitudes as LyCORIS has those of outputs: [out, 1], of a convolution [out, 1, 1, 1]. */
function asColumn(magnitude: HostTensor<'f32'>, { tensors }: StoredAdapter): HostTensor<'f32'> {
  const ones = (tensors.A?.shape ?? [0, 0]).slice(1).map(() => 1);
  return { ...magnitude, shape: [magnitude.data.length, ...ones] };
}

/**
 * diffusers (to 0.42 at least) tells a kohya file's text encoder parts by an `out_proj` and refuses one without. A pair of zeros changes
 * no picture.
 */
function emptyOutProjections(adapters: readonly LoraAdapter[]): LoraAdapter[] {
  return (['text_encoder', 'text_encoder_2'] as const).flatMap((part) => emptyOutProjection(part, adapters));
}

function emptyOutProjection(part: LoraAdapter['part'], adapters: readonly LoraAdapter[]): LoraAdapter[] {
  const text = adapters.filter((one) => one.part === part);
  if (text.some(({ module }) => module.endsWith('.out_proj'))) return [];
  const inLayer = /^(.*\.layers\.\d+)\.(?:self_attn\.[qkv]_proj|mlp\.fc1)$/;
  const known = text.find(({ module }) => inLayer.test(module));
  const layer = inLayer.exec(known?.module ?? '')?.[1];
  const width = known?.A.shape[1];
  if (layer === undefined || width === undefined) return [];
  const zeros = (shape: readonly number[]) =>
    ({ dtype: 'f32', shape, data: new Float32Array(width) }) as const;
  const module = `${layer}.self_attn.out_proj`;
  return [{ part, module, rank: 1, alpha: 1, A: zeros([1, width]), B: zeros([width, 1]) }];
}

function mostCommon(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}
