import { SvelteMap } from 'svelte/reactivity';
import type { Image, ImageDetail, ImageFilter, ImageOrder } from '../../src-shared/domain/image.ts';
import type { Recipe } from '../../src-shared/domain/recipe.ts';
import { base64Of } from '../client/fileBytes.ts';
import { listen, request } from '../client/index.ts';
import { texts } from '../texts/index.ts';
import { attempt, toasts } from './toasts.svelte.ts';

/** Number of recently viewed pictures kept in memory. */
const kept = 2000;
const pageSize = 200;

export interface FoundRecipe {
  readonly name: string;
  readonly recipe: Recipe;
  readonly imageId: number | null;
}

/** The ids of all pictures that match the filter, and recently viewed pictures. */
class Gallery {
  filter = $state.raw<ImageFilter>({});
  order = $state<ImageOrder>('newest');
  ids = $state.raw<readonly number[]>([]);
  loaded = $state(false);
  #images = new SvelteMap<number, Image>();
  #asked = new Set<number>();
  #waiting = new Set<number>();
  #turn = 0;
  #refreshing: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    listen('gallery.added', () => this.#refreshSoon());
    listen('gallery.removed', ({ ids }) => {
      const gone = new Set(ids);
      this.ids = this.ids.filter((id) => !gone.has(id));
    });
    listen('gallery.changed', ({ ids }) => {
      for (const id of ids) this.#asked.delete(id);
      this.need(ids.filter((id) => this.#images.has(id)));
      this.#refreshSoon();
    });
  }

  image(id: number): Image | undefined {
    return this.#images.get(id);
  }

  async show(filter: ImageFilter, order: ImageOrder = this.order): Promise<void> {
    this.filter = filter;
    this.order = order;
    await this.load();
  }

  /** An answer to an outdated request is dropped. */
  async load(): Promise<void> {
    const turn = (this.#turn += 1);
    const ids = await attempt(() => request('gallery.ids', { filter: this.filter, order: this.order }));
    if (turn !== this.#turn || !ids) return;
    this.ids = ids;
    this.loaded = true;
  }

  async loadAgain(): Promise<void> {
    if (this.loaded) await this.load();
  }

  /** Call it for pictures that come into view; they are fetched together, a moment later. */
  need(ids: readonly number[]): void {
    const missing = ids.filter((id) => !this.#asked.has(id));
    if (missing.length === 0) return;
    if (this.#waiting.size === 0) queueMicrotask(() => void this.#fetch());
    for (const id of missing) {
      this.#asked.add(id);
      this.#waiting.add(id);
    }
  }

  /** Whether any picture matches. */
  async has(filter: ImageFilter): Promise<boolean> {
    const page = await attempt(() => request('gallery.page', { filter, limit: 1 }));
    return (page?.images.length ?? 0) > 0;
  }

  detail(id: number): Promise<ImageDetail | undefined> {
    return attempt(() => request('gallery.detail', { id }));
  }

  async favourite(ids: readonly number[], favourite: boolean): Promise<void> {
    for (const id of ids) {
      const image = this.#images.get(id);
      if (image) this.#images.set(id, { ...image, favourite });
    }
    await attempt(() => request('gallery.favourite', { ids: [...ids], favourite }));
  }

  async remove(ids: readonly number[]): Promise<void> {
    const removed = await attempt(() => request('gallery.remove', { ids: [...ids] }));
    if (!removed) return;
    const gone = new Set(ids);
    this.ids = this.ids.filter((id) => !gone.has(id));
    toasts.undoable(texts.gallery.removed(ids.length), removed.undo);
  }

  /** The recipe in a PNG. */
  async readRecipe(file: File): Promise<FoundRecipe | undefined> {
    const found = await attempt(async () =>
      request('gallery.readRecipe', { name: file.name, data: await base64Of(file) }),
    );
    return found && { name: file.name, ...found };
  }

  async #fetch(): Promise<void> {
    const ids = [...this.#waiting];
    this.#waiting.clear();
    for (let start = 0; start < ids.length; start += pageSize) {
      const page = ids.slice(start, start + pageSize);
      const images = await attempt(() => request('gallery.get', { ids: page }));
      for (const image of images ?? []) this.#images.set(image.id, image);
    }
    for (const id of this.#images.keys()) {
      if (this.#images.size <= kept) break;
      this.#images.delete(id);
      this.#asked.delete(id);
    }
  }

  #refreshSoon(): void {
    if (!this.loaded) return;
    clearTimeout(this.#refreshing);
    this.#refreshing = setTimeout(() => void this.load(), 150);
  }
}

export const gallery = new Gallery();
