import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder for things that can be made again: LIKENESS_CACHE, or the system's cache folder. */
export function cacheFolder(): string {
  const { LIKENESS_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  return LIKENESS_CACHE ?? join(XDG_CACHE_HOME ?? LOCALAPPDATA ?? join(homedir(), '.cache'), 'likeness');
}

/** The default library: LIKENESS_LIBRARY, or a folder among the person's pictures. */
export function defaultLibrary(): string {
  return process.env['LIKENESS_LIBRARY'] ?? join(homedir(), 'Pictures', 'Likeness');
}
