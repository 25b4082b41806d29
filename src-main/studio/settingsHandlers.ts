import type { Handlers, StudioContext } from './context.ts';

/** `onChange` hears of every change before the window does. */
export function settingsHandlers(
  { library: { settings, models }, emit }: StudioContext,
  onChange: () => void,
): Handlers<'settings'> {
  return {
    'settings.get': () => settings.get(),
    'settings.update': (changes) => {
      if (typeof changes.modelId === 'number') models.get(changes.modelId);
      const tourSince = changes.tourDone === false ? Date.now() : undefined;
      const changed = settings.update({ ...changes, tourSince });
      onChange();
      emit('settings.changed', changed);
      return changed;
    },
  };
}
