import type { Input, Output, Payload } from '../../src-shared/contract/index.ts';
import type { Exported } from '../../src-shared/domain/exported.ts';
import type { Receipt } from '../../src-shared/domain/receipt.ts';
import type { Model } from '../../src-shared/domain/model.ts';
import { listen, request } from '../client/index.ts';
import { texts } from '../texts/index.ts';
import { attempt, toasts } from './toasts.svelte.ts';

type FileProgress = Payload<'models.file'>;

/** Base models and exports. */
class Models {
  list = $state.raw<readonly Model[]>([]);
  catalogue = $state.raw<Output<'models.catalogue'>>([]);
  #files = $state.raw<readonly FileProgress[]>([]);
  exports = $state.raw<readonly Exported[]>([]);

  constructor() {
    listen('models.changed', (models) => {
      this.list = models;
      void this.loadCatalogue();
    });
    listen('models.file', (file) => {
      const others = this.#files.filter((other) => other.jobId !== file.jobId || other.file !== file.file);
      this.#files = [...others, file];
    });
    listen('exports.changed', (exported) => {
      this.exports = [exported, ...this.exports.filter(({ id }) => id !== exported.id)];
    });
  }

  /** Progress of a download's files. */
  filesOf(jobId: number): readonly FileProgress[] {
    return this.#files.filter((file) => file.jobId === jobId);
  }

  byId(id: number | null | undefined): Model | undefined {
    return this.list.find((model) => model.id === id);
  }

  async load(): Promise<void> {
    this.list = (await attempt(() => request('models.list', {}))) ?? this.list;
  }

  async loadExports(): Promise<void> {
    this.exports = (await attempt(() => request('exports.list', {}))) ?? this.exports;
  }

  async loadCatalogue(): Promise<void> {
    this.catalogue = (await attempt(() => request('models.catalogue', {}))) ?? [];
  }

  async import(path: string): Promise<boolean> {
    return (await attempt(() => request('models.import', { path }))) !== undefined;
  }

  /** `confirmed`: the person agreed to this download, whatever the locks say. */
  async download(
    repository: string,
    confirmed: boolean,
    more: Pick<Input<'models.download'>, 'revision' | 'login'> = {},
  ): Promise<boolean> {
    return (
      (await attempt(() => request('models.download', { repository, confirmed, ...more }))) !== undefined
    );
  }

  async rename(id: number, name: string): Promise<void> {
    await attempt(() => request('models.rename', { id, name }));
    await this.load();
  }

  async remove(model: Model): Promise<void> {
    const removed = await attempt(() => request('models.remove', { id: model.id }));
    if (!removed) return;
    toasts.undoable(texts.common.removed(model.name), removed.undo);
    await this.load();
  }

  async export(input: Input<'exports.start'>): Promise<boolean> {
    return (await attempt(() => request('exports.start', input))) !== undefined;
  }

  /** How an export was tried; null where nothing lies beside it, undefined where it could not be asked. */
  receipt(id: number): Promise<Receipt | null | undefined> {
    return attempt(() => request('exports.receipt', { id }));
  }

  async removeExport(exported: Exported): Promise<void> {
    const removed = await attempt(() => request('exports.remove', { id: exported.id }));
    if (!removed) return;
    this.exports = this.exports.filter(({ id }) => id !== exported.id);
    toasts.undoable(texts.common.removed(exported.path), removed.undo);
  }
}

export const models = new Models();
