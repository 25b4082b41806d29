import * as z from 'zod';
import { problem } from '../../../../src-shared/messages/index.ts';
import { fitWholeLora, someOf } from '../../checkpoints/lora/fitLora.ts';
import { readLora } from '../../checkpoints/lora/readLora.ts';
import type { StoredAdapter, WeightChange } from '../../checkpoints/lora/weightChanges.ts';
import { networkNames, type Model } from '../../checkpoints/model.ts';
import { loraModules } from '../../checkpoints/names/loraModules.ts';
import { adapterShapes } from '../../nn/adapters.ts';
import { tensorEntries, type AdapterMethod, type AdapterTensor } from '../../nn/scope.ts';
import { f32, type HostTensor, type Shape } from '../../tensor/tensor.ts';
import type { Part, TrainedLora } from './trainedLora.ts';

/** A LoRA that training goes on from, module by module. */
export interface LoraStart {
  /** Errors: `lora.startUnfit` where the file has nothing for the module, or something of another size. */
  take(part: Part, module: string, shape: Shape): StoredAdapter;
  /** Call it when all is taken. Errors: `lora.startLeft` where some of the file was left. */
  refuseLeft(): void;
}

/** Errors: `lora.startWords`, `lora.startMethod` for an adapter of another method than the run's, those of `readLora` and `fitWholeLora`. */
export function startFrom(file: string, model: Model, method: AdapterMethod): LoraStart {
  const lora = readLora(file);
  const [word] = lora.embeddings.keys();
  if (word !== undefined) throw problem('lora.startWords', { file, word });
  fitWholeLora(lora, model);
  const find = loraModules(model);
  const adapters = lora.stored.map((one) => ({ ...one, module: find(one) ?? one.module }));
  const other = adapters.find((one) => one.method !== method) ?? lora.changes.find(isNoAdapter(lora.stored));
  if (other)
    throw problem('lora.startMethod', {
      ...{ file, method: methodWords[other.method] ?? other.method, wanted: methodWords[method] ?? method },
      module: `${other.part}.${other.module}`,
    });
  const left = new Set<StoredAdapter>(adapters.filter((adapter) => isUsed(adapter, model)));
  return {
    take: (part, module, shape) => {
      const found = adapters.find((adapter) => adapter.part === part && adapter.module === module);
      const tensors = found && inShapes(found, shape);
      if (!found || !tensors) throw problem('lora.startUnfit', { file, module: `${part}.${module}` });
      left.delete(found);
      return { ...found, tensors };
    },
    refuseLeft: () => {
      if (left.size === 0) return;
      const names = [...left].map(({ part, module }) => `${part}.${module}`);
      throw problem('lora.startLeft', { file, left: someOf(names), how: optionsFor(adapters) });
    },
  };
}

const methodWords: Readonly<Record<string, string>> = {
  ...{ lora: 'LoRA', dora: 'DoRA', loha: 'LoHa', lokr: 'LoKr' },
};

/** Of SDXL's first text encoder the last layer is not used; other trainers keep adapters for it. */
function isUsed({ part, module }: StoredAdapter, { textEncoder, textEncoder2 }: Model): boolean {
  const last = `text_model.encoder.layers.${textEncoder.config.num_hidden_layers - 1}.`;
  return !textEncoder2 || part !== 'text_encoder' || !module.startsWith(last);
}

/** A change of a module that no stored adapter describes. */
const isNoAdapter =
  (adapters: readonly StoredAdapter[]) =>
  ({ part, module }: WeightChange): boolean =>
    !adapters.some((one) => one.part === part && one.module === module);

/** An adapter's tensors in the shapes that training uses; nothing where one is of another size. */
function inShapes(
  { method, rank, tensors }: StoredAdapter,
  shape: Shape,
): StoredAdapter['tensors'] | undefined {
  const wanted = tensorEntries(adapterShapes(method, shape, rank));
  if (wanted.length !== Object.keys(tensors).length) return undefined;
  const found: Partial<Record<AdapterTensor, HostTensor<'f32'>>> = {};
  for (const [name, own] of wanted) {
    const tensor = tensors[name];
    if (!tensor || trimmed(tensor.shape) !== trimmed(own)) return undefined;
    found[name] = { ...tensor, shape: own };
  }
  return found;
}

/** Some tools store the matrices of a 1×1 convolution without its last two axes, or a Linear's with them. */
const trimmed = (shape: Shape): string => shape.filter((size, axis) => axis < 2 || size !== 1).join();

/** The sizes of the LoRA that a run starts from, for its workers; the values come with every step. */
export const startSizesType = z
  .array(
    z.strictObject({
      part: z.enum(networkNames),
      module: z.string().max(300),
      rank: z.int().min(1).max(1024),
      scale: z.number(),
    }),
  )
  .max(10_000);
export type StartSizes = z.output<typeof startSizesType>;

export function startSizes(
  loras: readonly { readonly part: Part; readonly lora: TrainedLora }[],
): StartSizes {
  return loras.flatMap(({ part, lora }) =>
    [...lora.adapters].flatMap(([name, adapters]) =>
      adapters.map(({ rank, scale }) => ({ part, module: name.slice(part.length + 1), rank, scale })),
    ),
  );
}

/** Matrices of zeros in these sizes. Errors: `lora.startUnfit`. */
export function emptyStart(sizes: StartSizes, method: AdapterMethod): LoraStart {
  return {
    take: (part, module, shape) => {
      const found = sizes.find((one) => one.part === part && one.module === module);
      if (!found) throw problem('lora.startUnfit', { file: 'the run', module: `${part}.${module}` });
      const { rank, scale } = found;
      const shapes = Object.entries(adapterShapes(method, shape, rank));
      const tensors = Object.fromEntries(shapes.map(([name, own]) => [name, f32(own)]));
      return { part, module, method, rank, alpha: scale * rank, tensors };
    },
    refuseLeft: () => undefined,
  };
}

/** The options that make a run train everything a LoRA has: "--targets to_k,to_q --text-targets q_proj". */
function optionsFor(adapters: readonly StoredAdapter[]): string {
  const targets = (...parts: Part[]): string =>
    [...new Set(adapters.filter((one) => parts.includes(one.part)).map(({ module }) => lastName(module)))]
      .sort()
      .join(',');
  const [unet, text] = [targets('unet'), targets('text_encoder', 'text_encoder_2')];
  return [
    ...(unet ? [`--targets ${unet}`] : []),
    ...(text ? [`--text-targets ${text}`] : ['--no-text-encoder']),
  ].join(' ');
}

/** A module's name as a target: `to_q`, `to_out.0`, `net.0.proj`. */
function lastName(module: string): string {
  return /(?:[^.]+\.\d+\.)?[^.]+(?:\.\d+)?$/.exec(module)?.[0] ?? module;
}
