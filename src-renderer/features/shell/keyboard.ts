import { overlays } from '../../state/overlays.svelte.ts';
import { router, type ScreenName } from '../../state/router.svelte.ts';
import { toasts } from '../../state/toasts.svelte.ts';

/** After G: where each letter goes. */
export const goKeys: Readonly<Record<string, ScreenName>> = {
  s: 'subjects',
  t: 'train',
  g: 'generate',
  a: 'gallery',
  c: 'scores',
  m: 'models',
  e: 'settings',
};

const patience = 1200;
let waitingSince = -Infinity;

/** True where keys write text. */
function writes(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLSelectElement ||
      (target instanceof HTMLInputElement && !['checkbox', 'radio', 'range'].includes(target.type)))
  );
}

/** The shortcuts that work everywhere. */
export function keyboard(event: KeyboardEvent): void {
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && key === 'k') {
    event.preventDefault();
    overlays.palette = !overlays.palette;
    return;
  }
  if ((event.ctrlKey || event.metaKey) && key === 'z' && !writes(event.target) && toasts.undo())
    event.preventDefault();
  if (event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) return;
  if (document.querySelector('dialog[open]')) return;
  const place = goKeys[key];
  if (performance.now() - waitingSince < patience && place) {
    waitingSince = -Infinity;
    event.preventDefault();
    router.go(place);
  } else if (key === 'g') waitingSince = performance.now();
  else if (event.key === '?') overlays.shortcuts = true;
  else if (key === 'j') overlays.jobs = !overlays.jobs;
  else if (key === 'n') {
    event.preventDefault();
    overlays.newSubject = true;
  }
}
