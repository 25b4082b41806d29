import { problem } from '../../src-shared/messages/index.ts';
import type { Handlers, StudioContext } from './context.ts';

export function projectHandlers({ library, queue, emit }: StudioContext): Handlers<'projects'> {
  const { projects, subjects, trash } = library;
  const announced = <T>(result: T): T => {
    emit('projects.changed', projects.list());
    return result;
  };
  return {
    'projects.list': () => projects.list(),
    'projects.create': ({ name }) => announced(projects.create(name)),
    'projects.rename': ({ id, name }) => announced(projects.rename(id, name)),
    'projects.remove': ({ id }) => {
      const project = projects.get(id);
      if (projects.list().length === 1) throw problem('project.last', {});
      const inside = subjects.list(project.id);
      const busy = inside.find((subject) => queue.isBusy({ subjectId: subject.id }));
      if (busy) throw problem('subject.busy', { name: busy.name });
      const undo = trash.remove('projects', [id]);
      trash.remove(
        'subjects',
        inside.map((subject) => subject.id),
        undo,
      );
      for (const subject of inside) emit('subjects.removed', { id: subject.id });
      return announced({ undo });
    },
  };
}
