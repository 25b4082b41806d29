/**
 * Call it when an overlay opens: the returned function gives the focus back to the element that has it now, unless it has moved
 * elsewhere.
 */
export function borrowFocus(): () => void {
  const owner = document.activeElement;
  return () => {
    if (owner instanceof HTMLElement && owner.isConnected && isLost()) owner.focus();
  };
}

export function isLost(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}

/** `{@attach begin}`: what one wants to have under one's fingers when this screen is entered, instead of its title. May come later than the title. */
export function begin(element: HTMLElement): void {
  element.dataset['begin'] = '';
  if (document.activeElement?.matches('main h1')) element.focus({ preventScroll: true });
}

/**
 * Scrolls to what an address names within its screen, and again while lists above it arrive, until the person does something.
 * Returns a function that ends this.
 */
export function reveal(element: HTMLElement): () => void {
  const growth = new ResizeObserver(() => element.scrollIntoView({ block: 'nearest' }));
  // What stands above it makes its surroundings grow.
  growth.observe(element.parentElement ?? element);
  const doings = ['wheel', 'pointerdown', 'keydown'] as const;
  const stop = (): void => {
    growth.disconnect();
    for (const doing of doings) removeEventListener(doing, stop, true);
  };
  for (const doing of doings) addEventListener(doing, stop, true);
  return stop;
}

/** Puts the focus where a screen begins. */
export function enterScreen(screen: HTMLElement): void {
  (screen.querySelector<HTMLElement>('[data-begin]') ?? screen.querySelector('h1'))?.focus({
    preventScroll: true,
  });
}
