import type { Output } from '../../src-shared/contract/index.ts';
import { request } from '../client/index.ts';
import { texts } from '../texts/index.ts';
import { attempt, toasts } from './toasts.svelte.ts';

type Listed = Output<'trash.list'>;

/** What was removed and can be restored. */
class Trash {
  listed = $state.raw<Listed>();

  async load(): Promise<void> {
    this.listed = await attempt(() => request('trash.list', {}));
  }

  async restore({ undo, name }: Listed['removals'][number]): Promise<void> {
    const restored = await attempt(() => request('trash.undo', { undo }));
    if (restored) toasts.show(texts.trash.restored(name));
    await this.load();
  }

  async empty(): Promise<void> {
    const emptied = await attempt(() => request('trash.empty', {}));
    if (emptied) toasts.show(texts.trash.emptied(emptied.items));
    await this.load();
  }
}

export const trash = new Trash();
