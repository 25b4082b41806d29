import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The absolute path that a person means. Shells and file managers leave things in the way that no file is called: `~` in
 * `--model=~/models`, quotes and blanks around a copied path, `file://`, the other Unicode form of an accent.
 */
export function givenPath(word: string): string {
  const plain = resolve(word);
  if (existsSync(plain)) return plain;
  const bare = /^\s*(["']?)(.*?)\1\s*$/s.exec(word)?.[2] ?? word;
  const meant = /^file:\/\//i.test(bare)
    ? pathOfAddress(bare)
    : bare.replace(/^~(?=$|[\\/])/, () => homedir());
  // A name that is to be written may begin or end with blanks.
  if (meant !== bare || existsSync(resolve(meant))) return resolve(meant);
  // macOS splits letters from their accents, keyboards join them.
  return inOtherForm(plain) ?? plain;
}

/** What is there under the same name with its accents joined or split, anywhere in the path. */
function inOtherForm(path: string): string | undefined {
  if (existsSync(path)) return path;
  if (path.normalize('NFC') === path.normalize('NFD')) return undefined;
  const folder = inOtherForm(dirname(path));
  if (folder === undefined) return undefined;
  const form = basename(path).normalize('NFC');
  const name = namesIn(folder).find((one) => one.normalize('NFC') === form);
  return name === undefined ? undefined : join(folder, name);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function pathOfAddress(address: string): string {
  try {
    return fileURLToPath(address);
  } catch {
    return address;
  }
}

/** The folder for things that can be made again: LIKENESS_CACHE, or the system's cache folder. */
export function cacheFolder(): string {
  const { LIKENESS_CACHE, LOCALAPPDATA } = process.env;
  return LIKENESS_CACHE
    ? resolve(LIKENESS_CACHE)
    : join(systemCache() ?? LOCALAPPDATA ?? join(homedir(), '.cache'), 'likeness');
}

/** XDG_CACHE_HOME, which counts only where it is absolute (XDG Base Directory Specification). */
export function systemCache(): string | undefined {
  const { XDG_CACHE_HOME: folder } = process.env;
  return folder && isAbsolute(folder) ? folder : undefined;
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
  return process.env['LIKENESS_LIBRARY'] || join(homedir(), 'Pictures', 'Likeness');
}
