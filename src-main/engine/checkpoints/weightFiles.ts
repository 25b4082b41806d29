import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { nameOf, problem } from '../../../src-shared/messages/index.ts';
import { denseCopies } from './denseCopies.ts';
import { refuseEmptyEnd } from './emptyEnd.ts';
import { asRecord, isFile, isFolder, readJson } from './files.ts';
import type { OtherTensor } from './otherTypes.ts';
import { readSafetensors } from './safetensors.ts';
import { sniffWeights } from './standIn.ts';
import { readTorchFile } from './torchFile.ts';
import type { FileTensor } from '../tensor/tensor.ts';

/** Every tensor of one weight file or set of shards, by the names in the file. */
export interface RawTensors {
  readonly tensors: ReadonlyMap<string, FileTensor>;
  readonly otherTypes: ReadonlyMap<string, OtherTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Of a torch file: its plain numbers, and the names of what is neither tensor, number nor text. */
  readonly numbers?: ReadonlyMap<string, number>;
  readonly unread?: readonly string[];
}

/** Whether a file is one of weights, by its content or, where that is cut or damaged, by its name. Errors: `weights.standIn`. */
export function looksLikeWeights(path: string): boolean {
  return sniffWeights(path) !== undefined || /\.(safetensors|ckpt|bin|pth?)$/i.test(path);
}

/**
 * Reads the list of tensors of a safetensors or torch file. Its content decides which it is, not its name. Errors: `weights.damaged`, of a
 * half-downloaded file too, and those of the readers.
 */
export function readWeightFile(path: string): RawTensors {
  const raw = readRaw(path);
  const names = [...raw.tensors.keys()];
  if (names.some((name) => name.includes(compiled)))
    return renamed(raw, (name) => name.replaceAll(compiled, ''));
  const isWrapped = names.length > 0 && names.every((name) => name.startsWith(wrapper));
  return isWrapped ? renamed(raw, (name) => name.slice(wrapper.length)) : raw;
}

/** What `torch.compile` puts before the names of a network that it compiled, anywhere among them. */
const compiled = '_orig_mod.';
/** What DataParallel and DistributedDataParallel put before all names. */
const wrapper = 'module.';

function readRaw(path: string): RawTensors {
  // Its pieces come in any order, into a file that has its whole length from the start.
  if (existsSync(`${path}.aria2`))
    throw problem('weights.damaged', {
      file: path,
      why: `aria2 has not finished downloading it (${basename(path)}.aria2 is still beside it)`,
    });
  const format = sniffWeights(path) ?? (/\.(bin|ckpt|pth?)$/i.test(path) ? 'torch' : 'safetensors');
  if (format === 'safetensors') {
    const read = readSafetensors(path);
    refuseEmptyEnd(read);
    return read;
  }
  const { tensors, strided, otherTypes, values, unread } = readTorchFile(path);
  const dense = denseCopies(path, strided);
  return {
    tensors: new Map([...tensors, ...dense]),
    otherTypes: new Map([...otherTypes].filter(([name]) => !dense.has(name))),
    metadata: Object.fromEntries([...values].map(([name, value]) => [name, String(value)])),
    numbers: new Map(
      [...values].flatMap(([name, value]) => (typeof value === 'number' ? [[name, value] as const] : [])),
    ),
    unread,
  };
}

const stems = ['diffusion_pytorch_model', 'model', 'pytorch_model'];
const endings = [
  ...['.safetensors', '.safetensors.index.json', '.fp16.safetensors', '.safetensors.index.fp16.json'],
  ...['.bin', '.bin.index.json', '.fp16.bin'],
];
/** diffusers' variants: `diffusion_pytorch_model.non_ema.safetensors`, or `….index.bf16.json` of shards. */
const variant =
  /^(?:\.\w+\.(?:safetensors|bin)|\.(?:safetensors|bin)\.index\.\w+\.json|\.(?:safetensors|bin)\.\w+\.index\.json)$/;

/**
 * Finds and reads the weights in a folder of a diffusers model: whole or in shards, safetensors before `.bin`, full
 * precision before fp16, and any other variant (bf16, non_ema …) if it is the only one there. Errors: `weights.none`,
 * `weights.manyVariants` and those of the readers.
 */
export function readWeightFolder(folder: string): RawTensors {
  const candidates = endings.flatMap((ending) => stems.map((stem) => join(folder, stem + ending)));
  const found = candidates.find(isFile) ?? onlyVariant(folder);
  if (!found)
    throw problem('weights.none', {
      ...{ file: folder, expected: `${stems[0]}.safetensors or model.safetensors` },
      found: whatIsLeft(folder),
    });
  return found.endsWith('.json') ? readShards(folder, found) : readWeightFile(found);
}

/** Why weights are not there, by what a broken link or an interrupted download or copy leaves in their place. */
function whatIsLeft(folder: string): string | undefined {
  const names = isFolder(folder) ? readdirSync(folder).sort() : [];
  const broken = names.find((name) => weightEnding.test(name) && !existsSync(join(folder, name)));
  if (broken !== undefined) return `${broken} is a link to a file that is gone; get the model again`;
  const begun = names.find((name) => unfinished.test(name));
  if (begun !== undefined)
    return `${begun} is an unfinished download or copy; let it end, or get the file again`;
  const [other, ...more] = names.filter((name) => weightEnding.test(name) && !name.startsWith('.'));
  return other === undefined || more.length > 0
    ? undefined
    : `${other} has another name; rename it if it is what belongs here`;
}

const weightEnding = /\.(safetensors|bin)$/;
/** Of browsers, the Hub's own tools, aria2 and rsync. */
const unfinished = /\.(part|partial|incomplete|crdownload|download|aria2)$|^\..+\.(safetensors|bin)\.\w+$/;

function onlyVariant(folder: string): string | undefined {
  const names = isFolder(folder) ? readdirSync(folder) : [];
  const all = names.filter((name) =>
    stems.some((stem) => name.startsWith(stem) && variant.test(name.slice(stem.length))),
  );
  const safe = all.filter((name) => name.includes('.safetensors'));
  const [first, ...others] = safe.length ? safe : all;
  if (others.length && first !== undefined)
    throw problem('weights.manyVariants', { file: folder, found: [first, ...others].join(', ') });
  return first === undefined ? undefined : join(folder, first);
}

/** Shards must lie beside their index: a name with a folder in it is refused. Links are followed, download caches use them. */
function readShards(folder: string, index: string): RawTensors {
  const map = asRecord(asRecord(readJson(index))['weight_map']);
  const shards = new Map<string, RawTensors>();
  const tensors = new Map<string, FileTensor>();
  const otherTypes = new Map<string, OtherTensor>();
  for (const [name, shard] of Object.entries(map)) {
    if (typeof shard !== 'string' || !shard || shard !== basename(shard) || /[\\/]|^\.\.?$/.test(shard))
      throw problem('config.invalid', { file: index, why: `"${nameOf(shard)}" is not a file beside it` });
    const known = shards.get(shard) ?? readWeightFile(join(folder, shard));
    shards.set(shard, known);
    const entry = known.tensors.get(name);
    const otherType = known.otherTypes.get(name);
    if (entry) tensors.set(name, entry);
    else if (otherType) otherTypes.set(name, otherType);
    else
      throw problem('tensor.missing', {
        file: join(folder, shard),
        tensor: name,
        expected: `promised by ${basename(index)}`,
      });
  }
  if (tensors.size + otherTypes.size === 0)
    throw problem('config.invalid', { file: index, why: 'it lists no tensors' });
  return { tensors, otherTypes, metadata: {} };
}

/** The tensors under the names `rename` gives; those it gives none for are left out. */
export function renamed(raw: RawTensors, rename: (name: string) => string | undefined): RawTensors {
  const under = <T>(map: ReadonlyMap<string, T>) => {
    const result = new Map<string, T>();
    for (const [name, value] of map) {
      const ours = rename(name);
      if (ours !== undefined) result.set(ours, value);
    }
    return result;
  };
  const { numbers = new Map<string, number>(), unread = [] } = raw;
  return {
    tensors: under(raw.tensors),
    otherTypes: under(raw.otherTypes),
    metadata: raw.metadata,
    numbers: under(numbers),
    unread: unread.flatMap((name) => rename(name) ?? []),
  };
}
