import { createHash, type Hash } from 'node:crypto';
import { rememberedHash } from './contentHash.ts';
import { withFile } from './files.ts';
import { Holes } from './holes.ts';
import type { Model, ModelPart } from './model.ts';
import { chunksOf, type Weights } from './weights.ts';
import type { FileTensor } from '../tensor/tensor.ts';
import { entryOf } from '../../../src-shared/entryOf.ts';

type Part = Pick<ModelPart<unknown>, 'weights'>;

/**
 * 32 hex digits that tell models apart, whatever files they are stored in: SHA-256 over every tensor's name, type, shape and
 * the SHA-256 of its bytes. All of them are read once, and again only when a file has changed. Errors: those of `withFile` and
 * `Holes`.
 */
export function modelHash(model: Model): string {
  return partsHash(...partsOf(model));
}

/** The same of some parts: what they made can be reused with any model that has the same parts. */
export function partsHash(...parts: readonly Part[]): string {
  const tensors = parts.map(({ weights }) => sorted(weights));
  const files = [...new Set(tensors.flat().map(([, { file }]) => file))].sort();
  const number = new Map(files.map((file, i) => [file, i]));
  const where = tensors.map((part) =>
    part.map(([name, entry]) => [describe(name, entry), number.get(entry.file), entry.offset].join(' ')),
  );
  return rememberedHash(files, JSON.stringify(where), () => {
    const hash = createHash('sha256');
    for (const part of tensors) {
      const digests = digestsOf(part);
      for (const [name, entry] of part) hash.update(`${describe(name, entry)} ${digests.get(name)}\n`);
    }
    return hash.digest('hex').slice(0, 32);
  });
}

/** Whether a hash is the model's, by the rule it was made by. */
export function hasHash(model: Model, hash: string): boolean {
  return partsHaveHash(partsOf(model), hash);
}

/** The same of some parts. */
export function partsHaveHash(parts: readonly Part[], hash: string): boolean {
  return isFormer(hash) ? formerHash(parts) === hash : partsHash(...parts) === hash;
}

/** Whether a hash was made by the rule used before version 1, as in older runs and pictures. */
export function isFormer(hash: string): boolean {
  return hash.length === 16;
}

function partsOf({ unet, vae, textEncoder, textEncoder2 }: Model): Part[] {
  return [unet, vae, textEncoder, ...(textEncoder2 ? [textEncoder2] : [])];
}

function describe(name: string, { dtype, shape }: FileTensor): string {
  return `${name} ${dtype} ${shape.join('x')}`;
}

type Named = [name: string, entry: FileTensor];

function sorted(weights: Weights): Named[] {
  return weights
    .names()
    .sort()
    .map((name) => [name, entryOf(weights, name)]);
}

/** In the order in which they lie in their files: a disk reads those in one go. */
function digestsOf(tensors: readonly Named[]): Map<string, string> {
  const inOrder = [...tensors].sort(([, a], [, b]) =>
    a.file === b.file ? a.offset - b.offset : a.file < b.file ? -1 : 1,
  );
  const digests = new Map<string, string>();
  for (const [name, entry] of inOrder) {
    const hash = createHash('sha256');
    const holes = new Holes();
    for (const bytes of chunksOf(entry)) {
      hash.update(bytes);
      holes.look(bytes);
    }
    holes.refuse(name, entry.file);
    digests.set(name, hash.digest('hex'));
  }
  return digests;
}

/** 16 hex digits over the first and last 2 KB of every tensor: what changes in between is not seen. */
function formerHash(parts: readonly Part[]): string {
  const hash = createHash('sha256');
  for (const { weights } of parts) hashEnds(hash, sorted(weights));
  return hash.digest('hex').slice(0, 16);
}

function hashEnds(hash: Hash, tensors: readonly Named[]): void {
  const files = [...new Set(tensors.map(([, { file }]) => file))];
  for (const path of files)
    withFile(path, (file) => {
      for (const [name, entry] of tensors) {
        if (entry.file !== path) continue;
        const { offset, byteLength } = entry;
        hash.update(`${describe(name, entry)};`);
        const length = Math.min(byteLength, 2048);
        hash.update(file.bytes(offset, length));
        hash.update(file.bytes(offset + byteLength - length, length));
      }
    });
}
