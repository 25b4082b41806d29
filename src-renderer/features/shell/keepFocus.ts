import { isLost } from '../../ui/focus.ts';

const reachable =
  ':is(a[href], button, input, select, textarea, summary, [tabindex="0"]):not(:disabled, [tabindex="-1"])';

interface Place {
  readonly parent: Element;
  /** The elements after it there. */
  readonly next: Node | null;
}

/**
 * Browsers drop the focus when the focused element is removed or disabled, such as the Cancel button of a run that ends. This
 * moves it to what comes next in that place, or else to what was before it, or to the screen's title. Returns a function that ends
 * this.
 */
export function keepFocus(): () => void {
  let last: Element | undefined;
  const focused = ({ target }: FocusEvent): void => {
    last = target instanceof Element ? target : undefined;
  };
  // After a click outside of everything, the focus is not brought back.
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

/** Its position among what is still there. */
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

/** The nearest focusable element: in the same parent, or else in the one around it. */
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
