import type { Handlers, StudioContext } from '../context.ts';
import type { LibraryScan } from '../scan/libraryScan.ts';
import { libraryState } from './libraryState.ts';

export function libraryHandlers(context: StudioContext, scan: LibraryScan): Handlers<'library'> {
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
      case 'evaluation':
        return folder.at(library.evaluations.get(id).path ?? 'evaluations');
      case 'model':
        return library.models.get(id).path;
      default:
        return folder.root;
    }
  };
  return {
    'library.get': () => libraryState(context),
    'library.rescan': () => scan.again(),
    'library.reveal': async ({ what, id }) => {
      await shell.reveal(placeOf(what, id));
      return {};
    },
  };
}
