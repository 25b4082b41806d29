import type { LoraFile } from '../../src-shared/domain/loraFile.ts';
import { listen, request } from '../client/index.ts';
import { texts } from '../texts/index.ts';
import { attempt, toasts } from './toasts.svelte.ts';

/** LoRA files of other tools, and embeddings. */
class LoraFiles {
  list = $state.raw<readonly LoraFile[]>([]);

  constructor() {
    listen('loras.changed', (list) => (this.list = list));
  }

  byId(id: number): LoraFile | undefined {
    return this.list.find((file) => file.id === id);
  }

  async load(): Promise<void> {
    this.list = (await attempt(() => request('loras.list', {}))) ?? this.list;
  }

  async rename(id: number, name: string): Promise<void> {
    await attempt(() => request('loras.rename', { id, name }));
  }

  async remove({ id, name }: LoraFile): Promise<void> {
    const removed = await attempt(() => request('loras.remove', { id }));
    if (removed) toasts.undoable(texts.common.removed(name), removed.undo);
  }
}

export const loraFiles = new LoraFiles();
