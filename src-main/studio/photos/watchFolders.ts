import path from 'node:path';
import { watch as watchFolder, type FSWatcher } from 'chokidar';
import type { StudioContext } from '../context.ts';
import { addPhotos } from './addPhotos.ts';

/** Watched folders: pictures that appear in them become photos. */
export class FolderWatch {
  private readonly watchers = new Map<number, FSWatcher>();
  /** One file at a time, and none twice. */
  private adding: Promise<unknown> = Promise.resolve();

  constructor(private readonly context: () => StudioContext) {}

  /** Watches the same folders as before. */
  open(): void {
    for (const { id, watched } of this.context().library.subjects.list()) if (watched) this.set(id, watched);
  }

  set(subjectId: number, folder: string | null): void {
    void this.watchers.get(subjectId)?.close();
    this.watchers.delete(subjectId);
    if (folder === null) return;
    const watcher = watchFolder(folder, {
      depth: 0,
      ignored: (file) => path.basename(file).startsWith('.'),
      awaitWriteFinish: { stabilityThreshold: 500, pollInterval: 100 },
    });
    watcher.on('add', (file) => {
      this.adding = this.adding.then(() => this.add(subjectId, file)).catch(() => undefined);
    });
    // A folder that disappears is not an error: it may come back.
    watcher.on('error', () => undefined);
    this.watchers.set(subjectId, watcher);
  }

  async close(): Promise<void> {
    await Promise.all([...this.watchers.values()].map((watcher) => watcher.close()));
    await this.adding;
  }

  private async add(subjectId: number, file: string): Promise<void> {
    const context = this.context();
    const { refused } = await addPhotos(context, subjectId, [file]);
    for (const one of refused)
      if (one.problem.code !== 'photos.unsupported') context.emit('photos.refused', { subjectId, ...one });
  }
}
