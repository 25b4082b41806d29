import type { StudioContext } from '../context.ts';
import { hindrances, libraryState } from './libraryState.ts';

const every = 2000;

/** Tells the window when the library's folder has trouble, and when that is over. Returns a function that ends this. */
export function watchLibrary(context: Pick<StudioContext, 'library' | 'emit'>): () => void {
  let before = '[]';
  let looking = false;
  const look = async (): Promise<void> => {
    const { notices } = await hindrances(context);
    const now = JSON.stringify(notices);
    if (now !== before) context.emit('library.changed', await libraryState(context));
    before = now;
  };
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void look()
      .catch(() => undefined)
      .finally(() => (looking = false));
  }, every);
  timer.unref();
  return () => clearInterval(timer);
}
