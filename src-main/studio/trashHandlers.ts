import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Removed } from '../storage/trash.ts';
import type { Handlers, StudioContext } from './context.ts';
import { listLoras } from './loraHandlers.ts';
import { listModels } from './models/putModel.ts';

export function trashHandlers(context: StudioContext): Handlers<'trash'> {
  const { library, emit } = context;
  return {
    'trash.undo': ({ undo }) => {
      const restored = library.trash.restore(undo);
      if (restored.has('projects')) emit('projects.changed', library.projects.list());
      for (const subject of library.subjects.list()) emit('subjects.changed', subject);
      if (restored.has('photos'))
        for (const { id } of library.subjects.list()) emit('photos.changed', { subjectId: id });
      if (restored.has('runs')) for (const run of library.runs.list()) emit('training.changed', run);
      if (restored.has('models')) emit('models.changed', listModels(context));
      if (restored.has('loras')) emit('loras.changed', listLoras(context));
      // Each goes to the front of the window's list.
      if (restored.has('exports'))
        for (const exported of library.exports.list().reverse()) emit('exports.changed', exported);
      if (restored.has('evaluations'))
        for (const report of library.evaluations.list().reverse()) emit('evaluations.changed', report);
      if (restored.has('images')) emit('gallery.changed', { ids: [] });
      return { restored: [...restored.values()].reduce((sum, count) => sum + count, 0) };
    },
    'trash.list': () => ({
      removals: library.trash.removals().map(({ table, ...removal }) => ({ ...removal, kind: table })),
      items: library.trash.list().length,
    }),
    'trash.empty': async () => ({ items: await emptyTrash(context) }),
  };
}

/** What goes with something that was removed: an export has a folder of its own, with its receipt. */
function wholeOf({ table }: Removed, place: string): string {
  const holder = path.posix.dirname(place);
  return table === 'exports' && path.posix.dirname(holder) === 'exports' ? holder : place;
}

/** Moves the files of everything removed to the system's trash; returns the number of things. */
async function emptyTrash({ library, shell }: Pick<StudioContext, 'library' | 'shell'>): Promise<number> {
  const removed = library.trash.list();
  for (const one of removed) {
    const file = one.path === null ? undefined : library.folder.at(wholeOf(one, one.path));
    if (file !== undefined && existsSync(file)) await shell.trash(file);
    library.trash.forget(one);
  }
  return removed.length;
}
