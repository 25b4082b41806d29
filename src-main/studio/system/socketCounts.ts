import type { Output } from '../../../src-shared/contract/index.ts';

/** Tries to reach other machines since the start, in this process and its workers. */
export class SocketCounts {
  private readonly refused = new Map<string, number>();
  private opened = 0;

  constructor(private readonly changed: () => void) {}

  add(host: string, refused: boolean): void {
    if (refused) this.refused.set(host, (this.refused.get(host) ?? 0) + 1);
    else this.opened++;
    this.changed();
  }

  get(): Pick<Output<'system.offline'>, 'refused' | 'opened'> {
    const refused = [...this.refused].slice(0, 100).map(([host, times]) => ({ host, times }));
    return { refused, opened: this.opened };
  }
}
