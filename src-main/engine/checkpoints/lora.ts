import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import { toF32 } from '../tensor/half.ts';
import type { HostTensor, Shape } from '../tensor/tensor.ts';
import { sameShape } from '../tensor/tensor.ts';
import { asRecord, isFile, isFolder, readJson, statOrNothing } from './files.ts';
import { loraScaling } from './loraAlpha.ts';
import type { Model } from './model.ts';
import { readKohyaName } from './names/kohya.ts';
import { ForeignLora, type LoraName } from './names/loraNames.ts';
import { readPeftName } from './names/peft.ts';
import { readWeightFile } from './weightFiles.ts';
import { readF32, readTensor, type TensorEntry } from './weights.ts';

/** A low-rank change of one module: W + weight · (alpha / rank) · B·A. */
export interface LoraAdapter {
  readonly part: 'unet' | 'text_encoder';
  /** diffusers' name of a Linear or Conv, `down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q`. */
  readonly module: string;
  readonly rank: number;
  readonly alpha: number;
  /** [rank, in] of a Linear, [rank, in, height, width] of a Conv. */
  readonly A: HostTensor<'f32'>;
  /** [out, rank] of a Linear, [out, rank, 1, 1] of a Conv. */
  readonly B: HostTensor<'f32'>;
}

export interface Lora {
  readonly path: string;
  readonly adapters: readonly LoraAdapter[];
  /** Tensors in the files that mean nothing here. */
  readonly unmatched: readonly string[];
}

/** Where a run keeps its latest LoRA, as PEFT folders `unet` and `text_encoder`; nothing where `run` is no run. */
function loraFolderOfRun(run: string): string | undefined {
  const checkpoints = join(run, 'checkpoints');
  if (!isFolder(checkpoints)) return undefined;
  const steps = readdirSync(checkpoints).filter((name) => /^\d+$/.test(name));
  const latest = steps.sort((a, b) => Number(a) - Number(b)).at(-1);
  return latest === undefined ? undefined : join(checkpoints, latest);
}

/**
 * Reads a LoRA: a PEFT folder (with `unet/` and `text_encoder/`, or the adapter's own), a run folder, or a kohya or diffusers
 * `.safetensors`. Errors: `file.missing`, `lora.notOne`, `lora.unsupported`, `lora.incomplete`, `weights.*`.
 */
export function readLora(path: string): Lora {
  if (!statOrNothing(path)) throw problem('file.missing', { file: path });
  if (isFile(path)) return readAdapters(path, [{ file: path }]);
  const inside = loraFolderOfRun(path) ?? path;
  const parts = (['unet', 'text_encoder'] as const).flatMap(
    (part) => adapterSource(join(inside, part), part) ?? [],
  );
  if (parts.length) return readAdapters(inside, parts);
  const alone =
    adapterSource(inside) ??
    [join(inside, 'pytorch_lora_weights.safetensors')].filter(isFile).map((file) => ({ file }))[0];
  if (!alone) throw problem('lora.notOne', { file: path });
  return readAdapters(inside, [alone]);
}

interface AdapterSource {
  readonly file: string;
  readonly part?: LoraName['part'] | undefined;
  /** PEFT's `adapter_config.json`. */
  readonly config?: { readonly file: string; readonly keys: Record<string, unknown> };
}

function adapterSource(folder: string, part?: LoraName['part']): AdapterSource | undefined {
  const file = ['adapter_model.safetensors', 'adapter_model.bin']
    .map((name) => join(folder, name))
    .find(isFile);
  const configFile = join(folder, 'adapter_config.json');
  if (!file && isFile(configFile))
    throw problem('weights.none', { file: folder, expected: 'adapter_model.safetensors' });
  if (!file) return undefined;
  return { file, part, config: { file: configFile, keys: asRecord(readJson(configFile)) } };
}

function readAdapters(path: string, sources: readonly AdapterSource[]): Lora {
  const adapters: LoraAdapter[] = [];
  const unmatched: string[] = [];
  for (const source of sources) {
    const { tensors, otherTypes, metadata } = readWeightFile(source.file);
    unmatched.push(...otherTypes.keys());
    const modules = new Map<
      string,
      { name: LoraName; tensors: Partial<Record<LoraName['kind'], TensorEntry>> }
    >();
    for (const [key, entry] of tensors) {
      const name = readKohyaName(key) ?? readPeftName(key, source.part);
      if (name instanceof ForeignLora)
        throw problem('lora.unsupported', { file: source.file, why: name.what });
      if (!name) {
        unmatched.push(key);
        continue;
      }
      const id = `${name.part} ${name.module}`;
      const known = modules.get(id) ?? { name, tensors: {} };
      modules.set(id, known);
      known.tensors[name.kind] = entry;
    }
    const scaling = loraScaling(source.config, metadata, source.file);
    for (const { name, tensors: found } of modules.values())
      adapters.push(toAdapter(source.file, name, found, scaling));
  }
  if (!adapters.length) throw problem('lora.notOne', { file: path });
  return { path, adapters, unmatched };
}

function toAdapter(
  file: string,
  { part, module }: LoraName,
  found: Partial<Record<LoraName['kind'], TensorEntry>>,
  scaling: (part: LoraName['part'], module: string, rank: number) => number,
): LoraAdapter {
  const tensor = `${part}.${module}`;
  if (!found.A || !found.B)
    throw problem('lora.incomplete', {
      file,
      tensor,
      missing: found.A ? 'up (B) matrix' : 'down (A) matrix',
    });
  for (const entry of [found.A, found.B])
    if (!['f32', 'f16', 'bf16'].includes(entry.dtype))
      throw problem('tensor.type', { file, tensor, found: entry.dtype });
  if (found.alpha && (found.alpha.dtype === 'u8' || found.alpha.dtype === 'bool'))
    throw problem('tensor.type', { file, tensor: `${tensor}.alpha`, found: found.alpha.dtype });
  const A = readF32(found.A);
  const B = readF32(found.B);
  const rank = A.shape[0] ?? 0;
  const isRank =
    (A.shape.length === 2 || A.shape.length === 4) &&
    B.shape.length === A.shape.length &&
    B.shape[1] === rank &&
    rank > 0;
  if (!isRank || B.shape.slice(2).some((size) => size !== 1))
    throw problem('tensor.shape', {
      file,
      tensor,
      expected: `[${rank}, in] and [out, ${rank}]`,
      found: `[${A.shape.join(', ')}] and [${B.shape.join(', ')}]`,
    });
  const alpha = found.alpha ? readNumber(found.alpha) : rank * scaling(part, module, rank);
  const bad = [A.data, B.data, [alpha]].reduce((count, data) => count + notNumbers(data), 0);
  if (bad) throw problem('tensor.notNumbers', { file, tensor, count: bad });
  return { part, module, rank, alpha, A, B };
}

function readNumber(entry: TensorEntry): number {
  const tensor = readTensor(entry);
  return Number((tensor.dtype === 'i64' || tensor.dtype === 'i32' ? tensor : toF32(tensor)).data[0]);
}

function notNumbers(data: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) count++;
  return count;
}

/**
 * The adapters whose module the model has, in that module's layout, and the names of those it has not. Errors:
 * `tensor.shape` where a module is of another size, `lora.otherModel` where none is there.
 */
export function fitLora(
  lora: Lora,
  model: Pick<Model, 'unet' | 'textEncoder'>,
): { adapters: LoraAdapter[]; unmatched: string[] } {
  const unmatched = [...lora.unmatched];
  const adapters: LoraAdapter[] = [];
  for (const adapter of lora.adapters) {
    const { weights } = adapter.part === 'unet' ? model.unet : model.textEncoder;
    const target = weights.get(`${adapter.module}.weight`);
    if (target) adapters.push(inLayoutOf(target.shape, adapter, lora.path));
    else unmatched.push(`${adapter.part}.${adapter.module}`);
  }
  if (!adapters.length)
    throw problem('lora.otherModel', { file: lora.path, model: model.unet.weights.source });
  return { adapters, unmatched };
}

/** Some tools store the matrices of a 1×1 convolution without its last two axes, or a Linear's with them. */
function inLayoutOf(target: Shape, adapter: LoraAdapter, file: string): LoraAdapter {
  const { A, B, rank } = adapter;
  const [outputs, ...inputs] = target;
  const shapeA = [rank, ...inputs];
  const shapeB = [outputs as number, rank, ...(target.length === 4 ? [1, 1] : [])];
  const found = [B.shape[0], ...A.shape.slice(1)];
  if (target.length < 2 || !sameSizes(shapeA, A.shape) || !sameSizes(shapeB, B.shape))
    throw problem('tensor.shape', {
      file,
      tensor: `${adapter.part}.${adapter.module}`,
      expected: `for a weight of ${target.join('×')}`,
      found: found.join('×'),
    });
  return { ...adapter, A: { ...A, shape: shapeA }, B: { ...B, shape: shapeB } };
}

function sameSizes(a: Shape, b: Shape): boolean {
  const sizes = (shape: Shape) => shape.filter((size, axis) => axis < 2 || size !== 1);
  return sameShape(sizes(a), sizes(b));
}
