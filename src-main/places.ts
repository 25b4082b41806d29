import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder for things that can be made again: LIKENESS_CACHE, or the system's cache folder. */
export function cacheFolder(): string {
  const { LIKENESS_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  return LIKENESS_CACHE ?? join(XDG_CACHE_HOME ?? LOCALAPPDATA ?? join(homedir(), '.cache'), 'likeness');
}

/** Where `likeness gpu add cuda` keeps what it fetched. */
export function cudaFolder(): string {
  return join(cacheFolder(), 'cuda');
}

/**
 * The environment of a process that computes. Libraries of CUDA are looked for where LD_LIBRARY_PATH says, which is read when a process
 * starts, and never again.
 */
export function computingEnvironment(): NodeJS.ProcessEnv {
  if (!existsSync(cudaFolder()) || hasCudaPath()) return process.env;
  const others = process.env['LD_LIBRARY_PATH'];
  return { ...process.env, LD_LIBRARY_PATH: [cudaFolder(), ...(others ? [others] : [])].join(':') };
}

/** Whether this process finds the libraries of CUDA that were fetched. */
export function hasCudaPath(): boolean {
  return (process.env['LD_LIBRARY_PATH'] ?? '').split(':').includes(cudaFolder());
}

/** The default library: LIKENESS_LIBRARY, or a folder among the person's pictures. */
export function defaultLibrary(): string {
  return process.env['LIKENESS_LIBRARY'] ?? join(homedir(), 'Pictures', 'Likeness');
}
