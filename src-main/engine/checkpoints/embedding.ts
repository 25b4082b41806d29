import { readdirSync } from 'node:fs';
import { join, parse } from 'node:path';
import { nameOf, problem } from '../../../src-shared/messages/index.ts';
import type { HostTensor } from '../tensor/tensor.ts';
import { isFolder, makeFolder, statOrNothing } from './files.ts';
import { kindByEnding, kindOfTensors } from './foreign.ts';
import type { Model } from './model.ts';
import { readOtherF32 } from './otherTypes.ts';
import { looksLikeWeights, readWeightFile, type RawTensors } from './weightFiles.ts';
import { readF32 } from './weights.ts';
import { writeSafetensors } from './writeSafetensors.ts';

/** A textual inversion (Gal et al. 2022): vectors [n, width] that a word in a prompt stands for. */
export interface Embedding {
  readonly path: string;
  readonly word: string;
  readonly vectors: HostTensor<'f32'>;
}

/**
 * Reads the file of a textual inversion, as diffusers' `load_textual_inversion` does: the web UI's `.pt` (`string_to_param` and a
 * name), diffusers' (one tensor under its word), and those without a word (`emb_params`), which the file's name stands for. `word`
 * takes its place. Errors: `file.missing`, `embedding.notOne`, `embedding.unsupported`, `weights.*`, `tensor.notNumbers`.
 */
export function readEmbedding(path: string, word?: string): Embedding {
  if (!statOrNothing(path)) throw problem('file.missing', { file: path });
  if (!looksLikeWeights(path)) throw problem('embedding.notOne', { file: path, found: kindByEnding(path) });
  const raw = readWeightFile(path);
  const [own, vectors] = vectorsIn(raw, path);
  const count = vectors.data.filter((value) => !Number.isFinite(value)).length;
  if (count) throw problem('tensor.notNumbers', { file: path, tensor: own ?? 'emb_params', count });
  const chosen = (word ?? own ?? parse(path).name).trim();
  if (chosen.length > longestWord)
    throw problem('embedding.unsupported', { file: path, why: `its word has ${chosen.length} letters` });
  return {
    path,
    word: chosen,
    vectors: { ...vectors, shape: [vectors.data.length / width(vectors), width(vectors)] },
  };
}

/** A text of a hundred thousand letters can't be looked for in prompts. */
const longestWord = 256;

/** Tokens of a prompt without its beginning and end. */
const mostVectors = 75;
/** Names of a network's tensors, which stand for no word. */
const ofNetwork = /(^|\.)(weight|bias)$/;

const width = ({ shape }: HostTensor): number => shape.at(-1) ?? 1;

function vectorsIn(
  { tensors, otherTypes, metadata }: RawTensors,
  file: string,
): [string | undefined, HostTensor<'f32'>] {
  const names = [...tensors.keys(), ...otherTypes.keys()];
  if (names.includes('clip_g'))
    throw problem('embedding.unsupported', { file, why: 'it is for SDXL, which has two text encoders' });
  const inParams = names.filter((name) => name.startsWith('string_to_param.'));
  const [name, ...more] = inParams.length > 0 ? inParams : names;
  // Names of a network's tensors have dots in them, words have none.
  const hasWords = inParams.length > 0 || names.every((one) => !one.includes('.'));
  if (name !== undefined && more.length > 0 && hasWords)
    throw problem('embedding.unsupported', {
      file,
      why: `it holds several embeddings (${[name, ...more].slice(0, 2).map(nameOf).join(', ')} …)`,
    });
  if (name === undefined || more.length > 0)
    throw problem('embedding.notOne', { file, found: kindOfTensors(names) });
  const entry = tensors.get(name);
  const other = otherTypes.get(name);
  const vectors = entry ? readF32(entry) : other && readOtherF32(other);
  const { shape = [] } = vectors ?? {};
  if (!vectors || shape.length < 1 || shape.length > 2 || vectors.data.length === 0)
    throw problem('embedding.notOne', { file });
  const rows = vectors.data.length / width(vectors);
  if (rows > mostVectors)
    throw problem('embedding.notOne', {
      file,
      found: `a table of ${rows.toLocaleString('en')} rows, and a prompt has room for ${mostVectors}`,
    });
  if (inParams.length > 0) return [metadata['name'], vectors];
  if (ofNetwork.test(name))
    throw problem('embedding.notOne', {
      file,
      found: kindOfTensors(names) ?? 'a single tensor of a network',
    });
  return [name === 'emb_params' || name === '*' ? undefined : name, vectors];
}

/** The words of embeddings, each with its number of vectors, and all vectors one after the other. */
export interface NewWords {
  readonly counts: ReadonlyMap<string, number>;
  /** The first token id that the model's own words leave free. */
  readonly firstId: number;
  /** [n, width] */
  readonly vectors: HostTensor<'f32'>;
}

/** Errors: `embedding.otherModel` for another width, `embedding.twice` for two of one word that are not the same. */
export function wordsFor(
  { textEncoder, textEncoder2, path: model }: Pick<Model, 'textEncoder' | 'textEncoder2' | 'path'>,
  all: readonly Embedding[],
): NewWords {
  if (textEncoder2 && all.length > 0)
    throw problem('model.notForXl', { model, what: 'the use of embeddings' });
  const { hidden_size: wanted, vocab_size: firstId } = textEncoder.config;
  const known = new Map<string, Embedding>();
  for (const one of all) {
    const { word, vectors, path: file } = one;
    if (width(vectors) !== wanted)
      throw problem('embedding.otherModel', { file, model, found: width(vectors), wanted });
    const before = known.get(word);
    if (before && before.vectors.data.join() !== vectors.data.join())
      throw problem('embedding.twice', { file, other: before.path, word });
    known.set(word, one);
  }
  const embeddings = [...known.values()];
  const rows = embeddings.map(({ vectors }) => vectors.shape[0] ?? 1);
  const data = new Float32Array(rows.reduce((sum, count) => sum + count, 0) * wanted);
  let at = 0;
  for (const { vectors } of embeddings) {
    data.set(vectors.data, at);
    at += vectors.data.length;
  }
  return {
    counts: new Map(embeddings.map(({ word }, i) => [word, rows[i] as number])),
    firstId,
    vectors: { dtype: 'f32', shape: [data.length / wanted, wanted], data },
  };
}

const embeddingsFolder = 'embeddings';

/**
 * Writes each word into a file of its own in `folder/embeddings`, as diffusers' `textual_inversion.py` does: one tensor under its word.
 * The web UI and ComfyUI read them too, and call the word by the file's name. Errors: `file.unwritable`.
 */
export function writeEmbeddings(folder: string, words: NewWords): void {
  makeFolder(join(folder, embeddingsFolder));
  for (const [word, vectors] of wordVectors(words))
    writeEmbedding(join(folder, embeddingFile(word)), word, vectors);
}

/** Where a checkpoint keeps a word, below its folder. */
export function embeddingFile(word: string): string {
  return join(embeddingsFolder, `${embeddingName(word)}.safetensors`);
}

/** Each word with its own vectors. */
export function wordVectors({ counts, vectors: { shape, data } }: NewWords): [string, HostTensor<'f32'>][] {
  const [, width = 1] = shape;
  let at = 0;
  return [...counts].map(([word, count]) => {
    const own = data.slice(at, (at += count * width));
    return [word, { dtype: 'f32', shape: [count, width], data: own }];
  });
}

/** Errors: `file.unwritable`. */
export function writeEmbedding(file: string, word: string, vectors: HostTensor<'f32'>): void {
  writeSafetensors(file, [{ name: word, tensor: vectors }], { format: 'pt' });
}

/** A word as a file's name that every system takes. */
export function embeddingName(word: string): string {
  return word.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|[-.]+$/g, '') || 'word';
}

/** The embeddings of a run's checkpoint; none in any other folder. Errors: those of `readEmbedding`. */
export function embeddingsIn(folder: string): Embedding[] {
  const inside = join(folder, embeddingsFolder);
  if (!isFolder(inside)) return [];
  const names = readdirSync(inside).filter((name) => name.endsWith('.safetensors'));
  return names.sort().map((name) => readEmbedding(join(inside, name)));
}
