/** The open dialogs, the topmost last; nothing outside of that one can be reached. */
class Dialogs {
  #open = $state.raw<readonly HTMLElement[]>([]);

  /** The element that must contain anything reachable. */
  get top(): HTMLElement | undefined {
    return this.#open.at(-1);
  }

  /** Returns a function that removes it. */
  add(sheet: HTMLElement): () => void {
    this.#open = [...this.#open, sheet];
    return () => (this.#open = this.#open.filter((other) => other !== sheet));
  }
}

export const dialogs = new Dialogs();
