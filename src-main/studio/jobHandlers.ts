import type { Handlers, StudioContext } from './context.ts';

export function jobHandlers({ queue }: StudioContext): Handlers<'jobs'> {
  return {
    'jobs.list': () => queue.list(),
    'jobs.pause': ({ id }) => queue.pause(id),
    'jobs.resume': ({ id }) => queue.resume(id),
    'jobs.cancel': ({ id }) => queue.cancel(id),
    'jobs.retry': ({ id }) => queue.retry(id),
    'jobs.move': ({ id, before }) => queue.move(id, before),
    'jobs.first': ({ id }) => queue.first(id),
    'jobs.clear': () => {
      queue.clear();
      return {};
    },
  };
}
