import { LikenessError, problem } from './index.ts';

/** The operating system's error codes in words. */
const refusals: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder; check the path',
  ENOTDIR: 'part of this path is a file, not a folder; check the path',
  EISDIR: 'this is a folder, but a file is needed; check the path',
  EEXIST: 'something with this name already exists; choose another name or remove it',
  ENOTEMPTY: 'the folder is not empty; choose another one or remove what is in it',
  EACCES: 'permission denied; check who may read and write it',
  EPERM: 'permission denied; check who may read and write it',
  EROFS: 'the disk is read-only; choose another place',
  ENOSPC: 'the disk is full; free some space or choose another place',
  EDQUOT: 'the disk quota is used up; free some space or choose another place',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
  ELOOP: 'its symbolic links form a loop; check the path',
};

/** Turns anything thrown into an error for people; unexpected errors get the code `internal`. */
export function forPeople(thrown: unknown): LikenessError {
  if (thrown instanceof LikenessError) return thrown;
  if (!(thrown instanceof Error)) return problem('internal', { why: String(thrown) }, thrown);
  const { code, path: file, syscall } = thrown as Error & { code?: string; path?: string; syscall?: string };
  const message = thrown.message.split('\n')[0] ?? '';
  if (code === 'EMFILE' || code === 'ENFILE' || /too many open files/i.test(message))
    return problem('system.tooManyFiles', {}, thrown);
  if (code === 'ENOENT' && syscall === 'uv_cwd') return problem('system.noFolder', {}, thrown);
  const why = code === undefined ? undefined : refusals[code];
  if (why !== undefined && file !== undefined) return problem('system.refused', { file, why }, thrown);
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') return problem('library.diskFull', {}, thrown);
  if (code?.startsWith('SQLITE_')) return problem('library.unwritten', { why: thrown.message }, thrown);
  if (
    /bad[_ ]alloc|allocation failed|failed to allocate|invalid (typed )?array length|out of memory/i.test(
      message,
    )
  )
    return problem('memory.short', { why: message }, thrown);
  return problem('internal', { why: message }, thrown);
}
