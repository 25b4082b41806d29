import { statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Output } from '../../../src-shared/contract/index.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { StudioContext } from '../context.ts';

type State = Output<'library.get'>;

/** Free bytes below which the disk counts as nearly full: room for a checkpoint and some pictures. */
const little = 3e8;

/** The library, and any trouble with its folder. */
export async function libraryState(context: Pick<StudioContext, 'library'>): Promise<State> {
  const { folder, subjects, images, runs } = context.library;
  return {
    folder: folder.root,
    name: folder.name,
    subjects: subjects.list().length,
    images: images.count(),
    runs: runs.list().length,
    ...(await hindrances(context)),
  };
}

/** Free bytes on its disk (null where unknown), and what prevents writing to it. */
export async function hindrances({
  library,
}: Pick<StudioContext, 'library'>): Promise<Pick<State, 'free' | 'notices'>> {
  const { folder } = library;
  const { root } = folder;
  const notices: State['notices'] = [];
  const notice = (error: { code: string; message: string }): void => {
    notices.push({ code: error.code, message: error.message });
  };
  if (library.damaged !== undefined)
    notice(problem('library.rebuilt', { file: path.basename(library.damaged) }));
  const obstacle = library.obstacle();
  if (obstacle) notice(obstacle);
  const disk = await statfs(root).catch(() => undefined);
  const free = disk ? disk.bavail * disk.bsize : null;
  if (free !== null && free < little)
    notice(problem('library.lowDisk', { folder: root, megabytes: Math.floor(free / 1e6) }));
  return { free, notices };
}
