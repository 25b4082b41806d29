import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where things are kept that can be made again: LIKENESS_CACHE, or the system's place for such files. */
export function cacheFolder(): string {
  const { LIKENESS_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  return LIKENESS_CACHE ?? join(XDG_CACHE_HOME ?? LOCALAPPDATA ?? join(homedir(), '.cache'), 'likeness');
}

/** Where a person's library is unless they say otherwise: LIKENESS_LIBRARY, or among their pictures. */
export function defaultLibrary(): string {
  return process.env['LIKENESS_LIBRARY'] ?? join(homedir(), 'Pictures', 'Likeness');
}
