import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import type { DType, HostTensor, Shape } from '../tensor/tensor.ts';
import { elementCount, sameShape } from '../tensor/tensor.ts';
import { asRecord, isFile, isFolder, readJson, statOrNothing } from './files.ts';
import type { FoundTensors, LoraAdapter, WeightChange } from './loraAdapter.ts';
import { loraScaling } from './loraAlpha.ts';
import { readModule } from './loraTensors.ts';
import type { Model } from './model.ts';
import { loraModules } from './names/loraModules.ts';
import { ForeignLora, readLoraName, type LoraName } from './names/loraNames.ts';
import { readOtherF32, type OtherTensor } from './otherTypes.ts';
import { safetensorsNames } from './safetensors.ts';
import { looksLikeWeights, readWeightFile } from './weightFiles.ts';
import { readF32, type TensorEntry } from './weights.ts';

export type { LoraAdapter, WeightChange } from './loraAdapter.ts';

export interface Lora {
  readonly path: string;
  readonly adapters: readonly LoraAdapter[];
  readonly changes: readonly WeightChange[];
  /** Textual inversions that lie in the file (LyCORIS' `bundle_emb.NAME.…`): vectors [n, width] by the word they stand for. */
  readonly embeddings: ReadonlyMap<string, HostTensor<'f32'>>;
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
  if (isFile(path)) {
    if (!looksLikeWeights(path)) throw problem('lora.notOne', { file: path });
    return readAdapters(path, [{ file: path }]);
  }
  const inside = loraFolderOfRun(path) ?? path;
  const parts = (['unet', 'text_encoder'] as const).flatMap(
    (part) => adapterSource(join(inside, part), part) ?? [],
  );
  if (parts.length) return readAdapters(inside, parts);
  const alone = adapterSource(inside) ?? looseFile(inside);
  if (!alone) throw problem('lora.notOne', { file: path });
  return readAdapters(inside, [alone]);
}

/** diffusers' file in a folder of its own. */
function looseFile(folder: string): AdapterSource | undefined {
  const names = ['pytorch_lora_weights.safetensors', 'pytorch_lora_weights.bin'];
  const file = names.map((name) => join(folder, name)).find(isFile);
  return file === undefined ? undefined : { file };
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
  const changes: WeightChange[] = [];
  const unmatched: string[] = [];
  const embeddings = new Map<string, HostTensor<'f32'>>();
  for (const source of sources) {
    const raw = readWeightFile(source.file);
    const modules = new Map<string, { name: LoraName; found: FoundTensors }>();
    for (const [key, entry] of [...raw.tensors, ...raw.otherTypes]) {
      const name = readLoraName(key, source.part);
      const word = bundledWord(key);
      if (word !== undefined) embeddings.set(word, numbersOf(source.file, key, entry));
      else if (name instanceof ForeignLora)
        throw problem('lora.unsupported', { file: source.file, why: name.what });
      else if (!name) unmatched.push(key);
      else {
        const id = `${name.part} ${name.module}`;
        const known = modules.get(id) ?? { name, found: {} };
        modules.set(id, known);
        known.found[name.kind] = numbersOf(source.file, key, entry);
        refuseInteger(source.file, key, entry.dtype, name.kind);
      }
    }
    const scaling = loraScaling(source.config, raw.metadata, source.file);
    const all = [...modules.values()];
    if (source.config?.keys['use_dora'] && !all.some(({ found }) => found.magnitude))
      throw problem('lora.incomplete', { file: source.file, tensor: 'use_dora', missing: 'magnitudes' });
    for (const { name, found } of all) {
      const made = readModule(source.file, { part: name.part, module: name.module }, found, scaling);
      adapters.push(...made.adapters);
      changes.push(...made.changes);
    }
  }
  if (!adapters.length && !changes.length) throw problem('lora.notOne', { file: path });
  return { path, adapters, changes, embeddings, unmatched };
}

/** Whatever type it is stored in. Errors: `tensor.type` for what is no number. */
function numbersOf(file: string, tensor: string, entry: TensorEntry | OtherTensor): HostTensor<'f32'> {
  if (entry.dtype === 'f32' || entry.dtype === 'f16' || entry.dtype === 'bf16')
    return readF32(entry as TensorEntry);
  const name = entry.dtype in safetensorsNames ? safetensorsNames[entry.dtype as DType] : entry.dtype;
  const read = readOtherF32({ ...entry, dtype: name });
  if (!read) throw problem('tensor.type', { file, tensor, found: entry.dtype });
  return read;
}

/** Only an alpha may be an integer: integer matrices are quantized in some way that the file doesn't tell. */
function refuseInteger(file: string, tensor: string, dtype: string, kind: LoraName['kind']): void {
  if (kind !== 'alpha' && /^[iu]\d/i.test(dtype))
    throw problem('tensor.type', { file, tensor, found: dtype });
}

const bundledWord = (key: string): string | undefined =>
  /^bundle_emb\.(.+)\.string_to_param\.\*$/.exec(key)?.[1];

/** A change and the tensor that it changes. */
export interface FittedChange extends WeightChange {
  readonly base: TensorEntry;
}

/** A LoRA fitted to one model. */
export interface FittedLora {
  readonly adapters: readonly LoraAdapter[];
  readonly changes: readonly FittedChange[];
  /** What is left out, by name: what the model has no place for. */
  readonly unmatched: readonly string[];
}

/**
 * The adapters and changes whose module the model has, in that module's name and layout, and the names of those it has not.
 * Errors: `lora.otherModel` where a module is of another size or none is there.
 */
export function fitLora(lora: Lora, model: Pick<Model, 'unet' | 'textEncoder'>): FittedLora {
  const unmatched = [...lora.unmatched];
  const adapters: LoraAdapter[] = [];
  const changes: FittedChange[] = [];
  const find = loraModules(model);
  const otherModel = (why: string): Error =>
    problem('lora.otherModel', { file: lora.path, model: model.unet.weights.source, why });
  const place = (name: LoraAdapter | WeightChange, tensor: string) => {
    const module = find(name);
    const { weights } = name.part === 'unet' ? model.unet : model.textEncoder;
    const base = module === undefined ? undefined : weights.get(`${module}.${tensor}`);
    if (!base) unmatched.push(`${name.part}.${name.module}`);
    return base && module !== undefined ? { module, base } : undefined;
  };
  for (const adapter of lora.adapters) {
    const found = place(adapter, 'weight');
    if (!found) continue;
    const fitted = inLayoutOf(found.base.shape, adapter);
    if (!fitted) throw otherModel(otherSize(adapter.module, found.base.shape, sizesOf(adapter)));
    adapters.push({ ...fitted, module: found.module });
  }
  for (const change of lora.changes) {
    const found = place(change, change.tensor);
    if (!found) continue;
    if (elementCount(found.base.shape) !== change.count)
      throw otherModel(otherSize(change.module, found.base.shape, [change.count]));
    changes.push({ ...change, ...found });
  }
  if (!adapters.length && !changes.length) throw otherModel('none of its modules are there');
  return { adapters, changes, unmatched };
}

const otherSize = (module: string, wanted: Shape, found: Shape): string =>
  `"${module}" is ${wanted.join('×')} in the model, and the LoRA changes ${found.join('×')}`;

/** Output and input sizes of the weight that an adapter is for. */
const sizesOf = ({ A, B }: LoraAdapter): number[] => [B.shape[0] as number, ...A.shape.slice(1)];

/** Some tools store the matrices of a 1×1 convolution without its last two axes, or a Linear's with them. */
function inLayoutOf(target: Shape, adapter: LoraAdapter): LoraAdapter | undefined {
  const { A, B, rank } = adapter;
  const [outputs, ...inputs] = target;
  const shapeA = [rank, ...inputs];
  const shapeB = [outputs as number, rank, ...(target.length === 4 ? [1, 1] : [])];
  if (target.length < 2 || !sameSizes(shapeA, A.shape) || !sameSizes(shapeB, B.shape)) return undefined;
  return { ...adapter, A: { ...A, shape: shapeA }, B: { ...B, shape: shapeB } };
}

function sameSizes(a: Shape, b: Shape): boolean {
  const sizes = (shape: Shape) => shape.filter((size, axis) => axis < 2 || size !== 1);
  return sameShape(sizes(a), sizes(b));
}

/** The same, where all of it must fit: half a LoRA draws another picture. Errors: `lora.partly`, those of `fitLora`. */
export function fitWholeLora(lora: Lora, model: Model): FittedLora {
  const fitted = fitLora(lora, model);
  if (fitted.unmatched.length)
    throw problem('lora.partly', { file: lora.path, model: model.path, left: someOf(fitted.unmatched) });
  return fitted;
}

/** The first three names and how many more. */
export function someOf(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `${names.slice(0, 3).join(', ')}${more}`;
}
