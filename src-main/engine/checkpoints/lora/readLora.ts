import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nameOf, problem } from '../../../../src-shared/messages/index.ts';
import type { DType, HostTensor, FileTensor } from '../../tensor/tensor.ts';
import { embeddingsIn } from '../embedding.ts';
import { asRecord, isFile, isFolder, readJson, statOrNothing } from '../files.ts';
import { kindByEnding, kindOfTensors, lora, loraInstead } from '../foreign.ts';
import { networkNames } from '../model.ts';
import { ForeignLora, readLoraName, type LoraName } from '../names/loraNames.ts';
import { readOtherF32, type OtherTensor } from '../otherTypes.ts';
import { safetensorsNames } from '../safetensors.ts';
import { looksLikeWeights, readWeightFile, type RawTensors } from '../weightFiles.ts';
import { readF32 } from '../weights.ts';
import { readModule } from './readModule.ts';
import { loraScaling, type Scaling } from './scaling.ts';
import type { FoundTensors, LoraAdapter, StoredAdapter, WeightChange } from './weightChanges.ts';

export interface Lora {
  readonly path: string;
  readonly adapters: readonly LoraAdapter[];
  readonly changes: readonly WeightChange[];
  /** Both as the files hold them, if training can go on from them: one adapter per module, with its method's usual tensors only. */
  readonly stored: readonly StoredAdapter[];
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
 * Reads a LoRA: a PEFT folder (with `unet/`, `text_encoder/` and `text_encoder_2/`, or the adapter's own), a run folder, or a kohya or diffusers
 * `.safetensors`. A run that learnt words has these and no adapters. Errors: `file.missing`, `lora.notOne`, `lora.unsupported`, `lora.incomplete`, `weights.*`.
 */
export function readLora(path: string): Lora {
  if (!statOrNothing(path)) throw problem('file.missing', { file: path });
  if (isFile(path)) {
    if (!looksLikeWeights(path)) throw problem('lora.notOne', { file: path, found: kindByEnding(path) });
    return readAdapters(path, [{ file: path }]);
  }
  const inside = loraFolderOfRun(path) ?? path;
  const words = embeddingsIn(inside);
  if (words.length > 0) {
    const embeddings = new Map(words.map(({ word, vectors }) => [word, vectors]));
    return { path: inside, adapters: [], changes: [], stored: [], embeddings, unmatched: [] };
  }
  const parts = networkNames.flatMap((part) => adapterSource(join(inside, part), part) ?? []);
  if (parts.length) return readAdapters(inside, parts);
  const alone = adapterSource(inside) ?? looseFile(inside);
  if (!alone) throw problem('lora.notOne', { file: path, ...loraInstead(inside) });
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
  const stored: StoredAdapter[] = [];
  const unmatched: string[] = [];
  const embeddings = new Map<string, HostTensor<'f32'>>();
  for (const source of sources) {
    const raw = readWeightFile(source.file);
    const modules = new Map<string, { name: LoraName; found: FoundTensors }>();
    for (const key of raw.unread ?? []) refuseUnread(source, key);
    for (const [key, entry] of [...raw.tensors, ...raw.otherTypes, ...plainAlphas(source, raw)]) {
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
        if (known.found[name.kind])
          throw problem('lora.unsupported', {
            file: source.file,
            why: `it holds several LoRAs ("${nameOf(key)}" is of another than those before)`,
          });
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
      stored.push(...asStored(name, found, scaling, source.config?.keys['r']));
    }
  }
  if (!adapters.length && !changes.length) {
    const found = kindOfTensors(unmatched);
    throw found === lora
      ? problem('lora.unsupported', {
          file: path,
          why: `its tensors have unknown names ("${nameOf(unmatched[0])}")`,
        })
      : problem('lora.notOne', { file: path, found });
  }
  return { path, adapters, changes, stored, embeddings, unmatched };
}

/** The adapter that a module's tensors make; nothing if some belong to another kind (a core, a difference). `r`: from PEFT's config. */
function asStored(
  { part, module }: LoraName,
  { alpha, dora_scale: scale, ...tensors }: FoundTensors,
  scaling: Scaling,
  r: unknown,
): StoredAdapter[] {
  const kinds = Object.keys(tensors);
  const method = methods.find(([, own]) => kinds.every((kind) => own.test(kind)))?.[0];
  if (!method) return [];
  const { A, hada_w1_b: loha, lokr_w2_b: lokr } = tensors;
  const [first] = [A, loha, lokr].filter((one) => one !== undefined);
  const rank = first?.shape[0] ?? (typeof r === 'number' ? r : 1);
  const own = alpha?.data[0] ?? rank * scaling(part, module, rank);
  // PEFT has a convolution's magnitudes as [1, out, 1, 1].
  const lengths = tensors.magnitude ?? scale;
  const magnitude = lengths && { ...lengths, shape: [lengths.data.length] };
  const isDora = magnitude !== undefined && (scale === undefined || scale.shape[0] !== 1);
  if (magnitude && !isDora) return [];
  return [
    {
      ...{ part, module, rank, alpha: own },
      method: magnitude ? 'dora' : method,
      tensors: { ...tensors, ...(magnitude && { magnitude }) },
    },
  ];
}

const methods = [
  ['lora', /^(A|B|magnitude)$/],
  ['loha', /^hada_w/],
  ['lokr', /^lokr_w(1|2|2_a|2_b)$/],
] as const;

/** Alphas that were pickled as Python's own numbers. */
function plainAlphas(
  { part }: AdapterSource,
  { numbers = new Map() }: RawTensors,
): [string, HostTensor<'f32'>][] {
  return [...numbers].flatMap(([key, value]): [string, HostTensor<'f32'>][] => {
    const name = readLoraName(key, part);
    return name && !(name instanceof ForeignLora) && name.kind === 'alpha'
      ? [[key, { dtype: 'f32', shape: [], data: Float32Array.of(value) }]]
      : [];
  });
}

/** Something that belongs to the LoRA by its name, and is no tensor. Errors: `tensor.type`. */
function refuseUnread({ file, part }: AdapterSource, key: string): void {
  const name = readLoraName(key, part);
  if (name && !(name instanceof ForeignLora))
    throw problem('tensor.type', { file, tensor: key, found: 'object (pickled by Python)' });
}

/** Whatever type it is stored in. Errors: `tensor.type` for what is no number. */
function numbersOf(
  file: string,
  tensor: string,
  entry: FileTensor | OtherTensor | HostTensor<'f32'>,
): HostTensor<'f32'> {
  if ('data' in entry) return entry;
  if (entry.dtype === 'f32' || entry.dtype === 'f16' || entry.dtype === 'bf16')
    return readF32(entry as FileTensor);
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
