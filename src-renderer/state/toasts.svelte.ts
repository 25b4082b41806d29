import { request } from '../client/index.ts';
import { texts } from '../texts/index.ts';

export interface Toast {
  readonly id: number;
  readonly kind: 'info' | 'bad';
  readonly message: string;
  /** The toast's button. */
  readonly action?: { readonly label: string; readonly run: () => void };
  /** The button undoes what the toast reports. */
  readonly undoes?: boolean;
}

/** Errors and undoable actions stay longer than plain news. */
const seconds = { info: 5, action: 12, bad: 12 };

class Toasts {
  list = $state.raw<readonly Toast[]>([]);
  /** The latest news, for screen readers. */
  spoken = $state('');
  #lastId = 0;

  /** News of what is in sight anyway: spoken, and not shown. */
  speak(message: string): void {
    this.spoken = message;
    // Else the same news a second time would be no change to tell.
    setTimeout(() => (this.spoken = this.spoken === message ? '' : this.spoken), 1000 * seconds.info);
  }

  show(message: string, { kind = 'info', ...rest }: Partial<Omit<Toast, 'id' | 'message'>> = {}): void {
    const id = (this.#lastId += 1);
    const toast = { id, kind, message, ...rest };
    this.speak(message);
    this.list = [...this.list.filter((other) => other.message !== message), toast].slice(-4);
    setTimeout(() => this.dismiss(id), 1000 * (rest.action ? seconds.action : seconds[kind]));
  }

  /** A toast with Undo for a removal; `token` is from the removal. */
  undoable(message: string, token: string): void {
    this.takenBack(message, () => request('trash.undo', { undo: token }));
  }

  /** A toast with its own undo. */
  takenBack(message: string, back: () => Promise<unknown>): void {
    const run = (): void => void attempt(back);
    this.show(message, { action: { label: texts.common.undo, run }, undoes: true });
  }

  /** Undoes what the latest toast reports; false if there is nothing to undo. */
  undo(): boolean {
    const toast = this.list.findLast(({ undoes }) => undoes);
    if (!toast) return false;
    toast.action?.run();
    this.dismiss(toast.id);
    return true;
  }

  dismiss(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();

/** Runs something, and reports a failure in a toast; then the result is undefined. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    toasts.show(error instanceof Error ? error.message : String(error), { kind: 'bad' });
    return undefined;
  }
}
