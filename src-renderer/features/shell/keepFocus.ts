import { isLost } from '../../ui/focus.ts';

const reachable =
  ':is(a[href], button, input, select, textarea, summary, [tabindex="0"]):not(:disabled, [tabindex="-1"])';

interface Place {
  readonly parent: Element;
  /** What comes after it there. */
  readonly next: Node | null;
}

/**
 * Browsers drop the focus when what has it is taken away or disabled: a run ends and with it its Cancel, a photo is removed with its
 * buttons. Here it goes to what comes next in that place, else to what was before it, or to the screen's title. Returns what ends it.
 */
export function keepFocus(): () => void {
  let last: Element | undefined;
  const focused = ({ target }: FocusEvent): void => {
    last = target instanceof Element ? target : undefined;
  };
  // Who left of their own accord, by a click beside everything, is not brought back.
  const left = (): void =>
    queueMicrotask(() => {
      if (last?.isConnected && isLost()) last = undefined;
    });
  const changed = (changes: readonly MutationRecord[]): void => {
    const gone = last && (!last.isConnected || last.matches(':disabled'));
    if (!last || !gone || !(isLost() || document.activeElement === last)) return;
    const place = last.isConnected ? placeOf(last) : placeLeft(changes, last);
    last = undefined;
    neighbour(place)?.focus();
  };
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { childList: true, subtree: true, attributeFilter: ['disabled'] });
  document.addEventListener('focusin', focused);
  document.addEventListener('focusout', left);
  return () => {
    observer.disconnect();
    document.removeEventListener('focusin', focused);
    document.removeEventListener('focusout', left);
  };
}

function placeOf(element: Element): Place | undefined {
  return element.parentElement ? { parent: element.parentElement, next: element.nextSibling } : undefined;
}

/** Where it was in what is still there. */
function placeLeft(changes: readonly MutationRecord[], element: Element): Place | undefined {
  let gone: Node = element;
  let place: Place | undefined;
  for (const { target, removedNodes, nextSibling } of changes) {
    if (!(target instanceof Element) || ![...removedNodes].some((node) => node.contains(gone))) continue;
    place = { parent: target, next: nextSibling };
    gone = target;
  }
  return place?.parent.isConnected ? place : undefined;
}

/** The nearest place to go to in the same part of the window: in the same parent, else in the one around it. */
function neighbour(place: Place | undefined): HTMLElement | null {
  const part = place?.parent.closest('main, nav, aside, dialog');
  const from = place?.next?.isConnected ? place.next : place?.parent.lastChild;
  const following = Node.DOCUMENT_POSITION_FOLLOWING | Node.DOCUMENT_POSITION_CONTAINED_BY;
  for (let around = part && place?.parent; part?.contains(around ?? null); around = around?.parentElement) {
    const here = [...(around?.querySelectorAll<HTMLElement>(reachable) ?? [])].filter((one) =>
      one.checkVisibility(),
    );
    const after = here.find((one) => from === one || (from && from.compareDocumentPosition(one) & following));
    const found = after ?? here.at(-1);
    if (found) return found;
  }
  return part instanceof HTMLDialogElement ? part : document.querySelector('main h1');
}
