import { watchConnection, type ConnectionState } from '../client/index.ts';

/** Whether the studio answers. */
class Connection {
  state = $state<ConnectionState>('open');
  #returns = new Set<() => void>();

  constructor() {
    watchConnection((state) => {
      const returned = state === 'open' && this.state !== 'open';
      this.state = state;
      if (returned) for (const again of this.#returns) again();
    });
  }

  /** Events may have been missed: load again. */
  onReturn(again: () => void): void {
    this.#returns.add(again);
  }
}

export const connection = new Connection();
