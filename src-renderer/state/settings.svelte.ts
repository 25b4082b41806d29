import type { Input } from '../../src-shared/contract/index.ts';
import type { Settings } from '../../src-shared/domain/studioSettings.ts';
import { listen, request } from '../client/index.ts';
import { attempt } from './toasts.svelte.ts';

const themeKey = 'likeness.theme';

/** The studio's settings; until they are loaded, the appearance of the last session. */
class SettingsState {
  value = $state.raw<Settings>();

  constructor() {
    this.#applyTheme(localStorage.getItem(themeKey) ?? 'system');
    listen('settings.changed', (settings) => this.#take(settings));
  }

  async load(): Promise<void> {
    const settings = await attempt(() => request('settings.get', {}));
    if (settings) this.#take(settings);
  }

  async update(changes: Input<'settings.update'>): Promise<void> {
    const settings = await attempt(() => request('settings.update', changes));
    if (settings) this.#take(settings);
  }

  #take(settings: Settings): void {
    this.value = settings;
    localStorage.setItem(themeKey, settings.theme);
    this.#applyTheme(settings.theme);
  }

  #applyTheme(theme: string): void {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }
}

export const settings = new SettingsState();
