import { request } from '../client/index.ts';
import { texts } from '../texts/index.ts';

export interface Toast {
  readonly id: number;
  readonly kind: 'info' | 'bad';
  readonly message: string;
  /** What the toast offers to do. */
  readonly action?: { readonly label: string; readonly run: () => void };
}

/** Errors and what can be undone stay longer than plain news. */
const seconds = { info: 5, action: 12, bad: 12 };

class Toasts {
  #list = $state.raw<readonly Toast[]>([]);
  #lastId = 0;

  get list(): readonly Toast[] {
    return this.#list;
  }

  show(message: string, { kind = 'info', action }: Partial<Pick<Toast, 'kind' | 'action'>> = {}): void {
    const id = (this.#lastId += 1);
    const toast = { id, kind, message, ...(action && { action }) };
    this.#list = [...this.#list.filter((other) => other.message !== message), toast].slice(-4);
    setTimeout(() => this.dismiss(id), 1000 * (action ? seconds.action : seconds[kind]));
  }

  /** News with a way back: `token` is what removing gave. */
  undoable(message: string, token: string): void {
    this.show(message, {
      action: {
        label: texts.common.undo,
        run: () => {
          void attempt(() => request('trash.undo', { undo: token }));
        },
      },
    });
  }

  /** Does what the latest toast that offers something offers; false where none does. */
  undo(): boolean {
    const toast = this.#list.findLast(({ action }) => action);
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
