/** The dialogs that are open, the topmost last: everything outside it is out of reach. */
class Dialogs {
  #open = $state.raw<readonly HTMLElement[]>([]);

  /** Where what must be reached now has to be. */
  get top(): HTMLElement | undefined {
    return this.#open.at(-1);
  }

  /** Returns what takes it away again. */
  add(sheet: HTMLElement): () => void {
    this.#open = [...this.#open, sheet];
    return () => (this.#open = this.#open.filter((other) => other !== sheet));
  }
}

export const dialogs = new Dialogs();
