import { request } from '../client/index.ts';
import { texts } from '../texts/index.ts';

export interface Toast {
  readonly id: number;
  readonly kind: 'info' | 'bad';
  readonly message: string;
  /** What the toast offers to do. */
  readonly action?: { readonly label: string; readonly run: () => void };
  /** The action takes back what the toast tells of. */
  readonly undoes?: boolean;
}

/** Errors and what can be undone stay longer than plain news. */
const seconds = { info: 5, action: 12, bad: 12 };

class Toasts {
  #list = $state.raw<readonly Toast[]>([]);
  #lastId = 0;

  get list(): readonly Toast[] {
    return this.#list;
  }

  show(message: string, { kind = 'info', ...rest }: Partial<Omit<Toast, 'id' | 'message'>> = {}): void {
    const id = (this.#lastId += 1);
    const toast = { id, kind, message, ...rest };
    this.#list = [...this.#list.filter((other) => other.message !== message), toast].slice(-4);
    setTimeout(() => this.dismiss(id), 1000 * (rest.action ? seconds.action : seconds[kind]));
  }

  /** News with a way back: `token` is what removing gave. */
  undoable(message: string, token: string): void {
    this.takenBack(message, () => request('trash.undo', { undo: token }));
  }

  /** News with a way back of its own. */
  takenBack(message: string, back: () => Promise<unknown>): void {
    const run = (): void => void attempt(back);
    this.show(message, { action: { label: texts.common.undo, run }, undoes: true });
  }

  /** Takes back what the latest toast tells of; false where none can be. */
  undo(): boolean {
    const toast = this.#list.findLast(({ undoes }) => undoes);
    if (!toast) return false;
    toast.action?.run();
    this.dismiss(toast.id);
    return true;
  }

  dismiss(id: number): void {
    this.#list = this.#list.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();

/** Does it, and says in a toast what went wrong; nothing came of it then. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    toasts.show(error instanceof Error ? error.message : String(error), { kind: 'bad' });
    return undefined;
  }
}
