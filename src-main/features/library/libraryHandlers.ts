import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Output } from '../../../src-shared/contract/index.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { Handlers, StudioContext } from '../studioContext.ts';

type State = Output<'library.get'>;

/** `rescan` looks for what came and went; given from outside, as features know nothing of each other. */
export function libraryHandlers(
  context: StudioContext,
  rescan: () => Promise<Output<'library.rescan'>>,
): Handlers<'library'> {
  const { library, shell } = context;
  const { folder } = library;
  const placeOf = (what: string, id = 0): string => {
    switch (what) {
      case 'subject':
        return folder.at(library.subjects.get(id).folder);
      case 'run':
        return folder.at(library.runs.get(id).folder);
      case 'image':
        return folder.at(library.images.detail(id).file);
      case 'export':
        return folder.at(library.exports.get(id).path);
      case 'model':
        return library.models.get(id).path;
      default:
        return folder.root;
    }
  };
  return {
    'library.get': () => libraryState(context),
    'library.rescan': rescan,
    'library.reveal': async ({ what, id }) => {
      await shell.reveal(placeOf(what, id));
      return {};
    },
  };
}

async function libraryState({ library }: StudioContext): Promise<State> {
  const { folder, subjects, images, runs } = library;
  const { root, name } = folder;
  const notices: State['notices'] = [];
  const notice = (error: { code: string; message: string }): void => {
    notices.push({ code: error.code, message: error.message });
  };
  if (library.damaged !== undefined)
    notice(problem('library.rebuilt', { file: path.basename(library.damaged) }));
  if (!existsSync(folder.database)) notice(problem('library.movedAway', { folder: root }));
  else if (!library.isWritable()) notice(problem('library.readOnly', { folder: root }));
  const disk = await statfs(root).catch(() => undefined);
  return {
    folder: root,
    name,
    subjects: subjects.list().length,
    images: images.count(),
    runs: runs.list().length,
    free: disk ? disk.bavail * disk.bsize : null,
    notices,
  };
}
