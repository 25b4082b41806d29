import { createHash, type Hash } from 'node:crypto';
import { problem } from '../../../src-shared/messages/index.ts';
import { isFile, isFolder, withFile } from './files.ts';
import type { Model, ModelPart } from './model.ts';
import { openModelFolder } from './modelFolder.ts';
import { openSingleFile } from './singleFile.ts';
import type { TensorEntry, Weights } from './weights.ts';

/**
 * Opens a diffusers folder or a single-file checkpoint: reads configs and lists of tensors, no weights.
 * Errors: `file.missing`, `model.notOne`, `model.family`, `model.missingPart`, `config.invalid`, `weights.*`.
 */
export function openModel(path: string): Model {
  if (isFolder(path)) return openModelFolder(path);
  if (isFile(path)) return openSingleFile(path);
  throw problem('file.missing', { file: path });
}

/**
 * 16 hex digits that tell models apart: SHA-256 over every tensor's name, type and shape and the first and last 2 KB of its
 * bytes. Reading all the bytes would cost seconds a picture; no finetune leaves all of those ends alone.
 */
export function modelHash(model: Model): string {
  return partsHash(model.unet, model.vae, model.textEncoder);
}

/** The same of some parts: what one of them made can be used again with another model that has it too. */
export function partsHash(...parts: readonly Pick<ModelPart<unknown>, 'weights'>[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hashWeights(hash, part.weights);
  return hash.digest('hex').slice(0, 16);
}

function hashWeights(hash: Hash, weights: Weights): void {
  const byFile = new Map<string, [name: string, entry: TensorEntry][]>();
  for (const name of weights.names().sort()) {
    const entry = weights.get(name) as TensorEntry;
    const others = byFile.get(entry.file);
    if (others) others.push([name, entry]);
    else byFile.set(entry.file, [[name, entry]]);
  }
  for (const [path, entries] of byFile)
    withFile(path, (file) => {
      for (const [name, { dtype, shape, offset, byteLength }] of entries) {
        hash.update(`${name} ${dtype} ${shape.join('x')};`);
        const length = Math.min(byteLength, 2048);
        hash.update(file.bytes(offset, length));
        hash.update(file.bytes(offset + byteLength - length, length));
      }
    });
}
