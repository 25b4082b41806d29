import { watchConnection } from '../client/index.ts';

/** Whether the studio answers. */
class Connection {
  #lost = $state(false);
  #returns = new Set<() => void>();

  constructor() {
    watchConnection((connected) => {
      const returned = connected && this.#lost;
      this.#lost = !connected;
      if (returned) for (const again of this.#returns) again();
    });
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** Events may have been missed: load again. */
  onReturn(again: () => void): void {
    this.#returns.add(again);
  }
}

export const connection = new Connection();
