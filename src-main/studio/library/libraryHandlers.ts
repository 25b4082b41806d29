import type { Output } from '../../../src-shared/contract/index.ts';
import type { Handlers, StudioContext } from '../context.ts';
import { libraryState } from './libraryState.ts';

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
