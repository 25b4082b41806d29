import { makeFolders } from '../../makeFolders.ts';
import { accessSync, constants } from 'node:fs';
import { problem } from '../../../src-shared/messages/index.ts';
import { errorCode } from './files.ts';

/** The cache folder, made if need be, for work that can't do without one. Errors: `cache.unusable`. */
export function usableCache(folder: string): string {
  try {
    makeFolders(folder);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw problem('cache.unusable', { folder, why: errorCode(error) }, error);
  }
  return folder;
}
