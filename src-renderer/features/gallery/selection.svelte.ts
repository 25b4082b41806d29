import { SvelteSet } from 'svelte/reactivity';

/** Which pictures are chosen; Shift takes all between the last choice and this one. */
export class Selection {
  #ids = new SvelteSet<number>();
  #anchor: number | undefined;

  get ids(): ReadonlySet<number> {
    return this.#ids;
  }

  choose(id: number, { shiftKey }: { readonly shiftKey: boolean }, order: readonly number[]): void {
    const from = this.#anchor === undefined ? -1 : order.indexOf(this.#anchor);
    const to = order.indexOf(id);
    if (shiftKey && from >= 0 && to >= 0)
      for (const between of order.slice(Math.min(from, to), Math.max(from, to) + 1)) this.#ids.add(between);
    else if (!this.#ids.delete(id)) this.#ids.add(id);
    this.#anchor = id;
  }

  take(ids: readonly number[]): void {
    for (const id of ids.slice(0, 10_000)) this.#ids.add(id);
  }

  clear(): void {
    this.#ids.clear();
    this.#anchor = undefined;
  }
}
