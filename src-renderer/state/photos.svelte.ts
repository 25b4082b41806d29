import type { Output } from '../../src-shared/contract/index.ts';
import type { Crop, Photo } from '../../src-shared/domain/photo.ts';
import type { Problem } from '../../src-shared/messages/problem.ts';
import { base64Of } from '../client/fileBytes.ts';
import { listen, pathOf, request } from '../client/index.ts';
import { texts } from '../texts/index.ts';
import { subjects } from './subjects.svelte.ts';
import { attempt, toasts } from './toasts.svelte.ts';

type Report = Output<'photos.list'>['report'];
type Added = Output<'photos.addPaths'>;
interface Refused {
  readonly name: string;
  readonly problem: Problem;
}

/** The photos of one subject, and their preflight remarks. */
class Photos {
  #subjectId = $state<number>();
  list = $state.raw<readonly Photo[]>([]);
  report = $state.raw<Report>();
  /** Files that were refused, until the person dismisses them. */
  refused = $state.raw<readonly Refused[]>([]);
  #adding = $state(0);

  constructor() {
    listen('photos.changed', ({ subjectId }) => {
      if (subjectId === this.#subjectId) void this.load(subjectId);
    });
    listen('photos.refused', ({ subjectId, ...refused }) => {
      if (subjectId === this.#subjectId) this.refused = [...this.refused, refused];
    });
  }

  get adding(): boolean {
    return this.#adding > 0;
  }

  forgetRefused(): void {
    this.refused = [];
  }

  async load(subjectId: number): Promise<void> {
    if (subjectId !== this.#subjectId) {
      this.#subjectId = subjectId;
      this.list = [];
      this.report = undefined;
      this.refused = [];
    }
    const found = await attempt(() => request('photos.list', { subjectId }));
    if (!found || subjectId !== this.#subjectId) return;
    this.list = found.photos;
    this.report = found.report;
  }

  async loadAgain(): Promise<void> {
    if (this.#subjectId !== undefined) await this.load(this.#subjectId);
  }

  /** Dropped, pasted or chosen files: by path where there is one, else by their bytes. */
  async addFiles(subjectId: number, files: readonly File[]): Promise<void> {
    const paths = files.map(pathOf).filter((path) => path !== '');
    const loose = files.filter((file) => pathOf(file) === '');
    this.#adding += 1;
    try {
      const outcomes: Added[] = [];
      if (paths.length > 0) outcomes.push(await request('photos.addPaths', { subjectId, paths }));
      for (const file of loose) {
        const data = await base64Of(file);
        outcomes.push(await request('photos.addBytes', { subjectId, name: file.name || 'pasted.png', data }));
      }
      this.#tell(outcomes);
    } catch (error) {
      toasts.show(error instanceof Error ? error.message : String(error), { kind: 'bad' });
    } finally {
      this.#adding -= 1;
    }
    await this.load(subjectId);
  }

  async addPaths(subjectId: number, paths: string[]): Promise<void> {
    if (paths.length === 0) return;
    this.#adding += 1;
    const added = await attempt(() => request('photos.addPaths', { subjectId, paths }));
    this.#adding -= 1;
    if (added) this.#tell([added]);
    await this.load(subjectId);
  }

  async remove(photo: Photo): Promise<void> {
    const removed = await attempt(() => request('photos.remove', { ids: [photo.id] }));
    if (!removed) return;
    this.list = this.list.filter(({ id }) => id !== photo.id);
    toasts.undoable(texts.common.removed(photo.name), removed.undo);
  }

  /** Undo puts the earlier crop back. */
  async setCrop(photo: Photo, crop: Crop | null): Promise<void> {
    const changed = await attempt(() => request('photos.setCrop', { id: photo.id, crop }));
    if (!changed) return;
    this.#put(changed);
    toasts.takenBack(texts.photos.cropped(photo.name), async () =>
      this.#put(await request('photos.setCrop', { id: photo.id, crop: photo.crop })),
    );
  }

  /** Undo puts the earlier caption back. */
  async setCaption({ id, name, caption: before }: Photo, caption: string): Promise<void> {
    const changed = await attempt(() => request('photos.setCaption', { id, caption }));
    if (!changed) return;
    this.#put(changed);
    toasts.takenBack(texts.photos.captioned(name), async () =>
      this.#put(await request('photos.setCaption', { id, caption: before ?? '' })),
    );
  }

  /** Sets a mask (a PNG in base64, or none); undo restores `before`. True if it was saved. */
  async setMask(photo: Photo, mask: Blob | null, old: Blob | null): Promise<boolean> {
    const [data, before] = [mask && (await base64Of(mask)), old && (await base64Of(old))];
    const changed = await attempt(() => request('photos.setMask', { id: photo.id, data }));
    if (!changed) return false;
    this.#put(changed);
    const message = (data === null ? texts.masks.removed : texts.masks.saved)(photo.name);
    toasts.takenBack(message, async () =>
      this.#put(await request('photos.setMask', { id: photo.id, data: before })),
    );
    return true;
  }

  async watch(subjectId: number, folder: string | null): Promise<void> {
    const subject = await attempt(() => request('photos.watch', { subjectId, folder }));
    if (!subject) return;
    await Promise.all([subjects.load(), this.load(subjectId)]);
  }

  #put(photo: Photo): void {
    this.list = this.list.map((other) => (other.id === photo.id ? photo : other));
  }

  #tell(outcomes: readonly Added[]): void {
    const added = outcomes.flatMap((outcome) => outcome.added).length;
    const duplicates = outcomes.flatMap((outcome) => outcome.duplicates).length;
    this.refused = outcomes.flatMap((outcome) => outcome.refused);
    const undo = outcomes.length === 1 ? outcomes[0]?.undo : undefined;
    const message = texts.photos.added(added, duplicates);
    if (undo && added > 0) toasts.undoable(message, undo);
    else if (added + duplicates > 0) toasts.show(message);
  }
}

export const photos = new Photos();
