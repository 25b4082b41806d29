import { problem } from '../../../src-shared/messages/index.ts';
import { isFile, isFolder } from './files.ts';
import type { Model } from './model.ts';
import { openModelFolder } from './modelFolder.ts';
import { openSingleFile } from './singleFile.ts';

/**
 * Opens a diffusers folder or a single-file checkpoint: reads configs and lists of tensors, no weights.
 * Errors: `file.missing`, `model.notOne`, `model.family`, `model.missingPart`, `config.invalid`, `weights.*`.
 */
export function openModel(path: string): Model {
  if (isFolder(path)) return openModelFolder(path);
  if (isFile(path)) return openSingleFile(path);
  throw problem('file.missing', { file: path });
}
