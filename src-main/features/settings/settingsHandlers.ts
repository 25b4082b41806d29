import type { Handlers, StudioContext } from '../studioContext.ts';

export function settingsHandlers({
  library: { settings, models },
  emit,
}: StudioContext): Handlers<'settings'> {
  return {
    'settings.get': () => settings.get(),
    'settings.update': (changes) => {
      if (typeof changes.modelId === 'number') models.get(changes.modelId);
      const changed = settings.update(changes);
      emit('settings.changed', changed);
      return changed;
    },
  };
}
