import type { Input, Output } from '../../src-shared/contract/index.ts';
import { listen, request } from '../client/index.ts';
import { attempt, toasts } from './toasts.svelte.ts';
import { texts } from '../texts/index.ts';

/** This machine: its processor, the library and its disk, and network connections. */
class Machine {
  info = $state.raw<Output<'system.info'>>();
  library = $state.raw<Output<'library.get'>>();
  offline = $state.raw<Output<'system.offline'>>();

  constructor() {
    listen('library.changed', (library) => (this.library = library));
    listen('system.offline', (offline) => (this.offline = offline));
  }

  /** In the app, the system's dialogs and file manager are available. */
  get inApp(): boolean {
    return this.info?.shell === 'app';
  }

  async load(): Promise<void> {
    const [info, library, offline] = await Promise.all([
      attempt(() => request('system.info', {})),
      attempt(() => request('library.get', {})),
      attempt(() => request('system.offline', {})),
    ]);
    this.info = info;
    this.library = library;
    this.offline = offline;
  }

  async rescan(): Promise<void> {
    const found = await attempt(() => request('library.rescan', {}));
    if (found) toasts.show(texts.settings.rescanned(found));
  }

  /** Shows something in the system's file manager. */
  async reveal(what: Input<'library.reveal'>['what'], id?: number): Promise<void> {
    await attempt(() => request('library.reveal', { what, ...(id !== undefined && { id }) }));
  }
}

export const machine = new Machine();
