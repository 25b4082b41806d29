import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** What opens and shuts has no role of its own for browsers' tools. */
type Role = Parameters<Page['getByRole']>[0] | 'summary';

/** Backwards, and after how many stops one gives up. */
interface Way {
  readonly back?: boolean;
  readonly most?: number;
}

/** Where the focus is, as a person sees it. */
interface Stop {
  /** Tag and first words, for messages. */
  readonly what: string;
  /** Part of it can be seen, and nothing lies over it. */
  readonly inView: boolean;
  /** Something is drawn around it, or around what stands for it. */
  readonly outlined: boolean;
}

/** Runs in the page. A list that keeps the focus shows it on the option that is active. */
const lookAtFocus = `(() => {
  const focused = document.activeElement;
  if (!focused || focused === document.body) return null;
  const shown = document.getElementById(focused.getAttribute('aria-activedescendant') ?? '') ?? focused;
  // The label stands for a box that is too small to be seen.
  const small = ({ offsetWidth, offsetHeight }) => offsetWidth < 4 || offsetHeight < 4;
  const seen = small(shown) ? shown.closest('label') ?? shown : shown;
  const isOutlined = (element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
  };
  const { left, top, right, bottom } = seen.getBoundingClientRect();
  const [x, y] = [(Math.max(0, left) + Math.min(innerWidth, right)) / 2, (Math.max(0, top) + Math.min(innerHeight, bottom)) / 2];
  const there = left < right && top < bottom ? document.elementFromPoint(x, y) : null;
  return {
    what: focused.tagName.toLowerCase() + ' “' + (focused.getAttribute('aria-label') ?? focused.textContent ?? '').trim().slice(0, 60) + '”',
    inView: there !== null && seen.contains(there),
    outlined: [focused, seen, seen.parentElement, seen.parentElement.parentElement].some(isOutlined),
  };
})()`;

/** A person who has a keyboard and no mouse. Every place they come to must be seen to have the focus. */
export class Keyboard {
  constructor(readonly page: Page) {}

  /** Presses keys one after the other. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }

  /** What of that role and name is there; names are whole ones, unless given as a pattern. */
  find(role: Role, name: string | RegExp): Locator {
    if (role === 'summary') return this.page.locator('summary').filter({ hasText: name });
    return this.page.getByRole(role, { name, exact: typeof name === 'string' });
  }

  async sees(role: Role, name: string | RegExp): Promise<void> {
    await this.find(role, name).first().waitFor();
  }

  /** Whole texts, unless said otherwise or given as a pattern. */
  async reads(text: string | RegExp, { exact = typeof text === 'string' } = {}): Promise<void> {
    await this.page.getByText(text, { exact }).filter({ visible: true }).first().waitFor();
  }

  /** Fails unless the focus comes to it, by itself, within a moment. */
  async isAt(role: Role, name: string | RegExp): Promise<void> {
    const here = this.find(role, name).and(this.page.locator(':focus'));
    await here.waitFor({ timeout: 20_000 }).catch(async () => {
      throw new Error(
        `the focus is not at ${role} “${String(name)}” but at ${(await this.stop())?.what ?? 'nothing'}`,
      );
    });
  }

  /** Tab, or Shift and Tab, until what has that role and name has the focus; fails where it is not met within `most` stops. */
  async tabTo(role: Role, name: string | RegExp, { back = false, most = 40 }: Way = {}): Promise<void> {
    const here = this.find(role, name).and(this.page.locator(':focus'));
    // A person waits for a page to arrive before pressing Tab; what never comes is not met below.
    const there = this.find(role, name).first();
    await there.waitFor({ state: 'attached', timeout: 20_000 }).catch(() => undefined);
    const passed: string[] = [];
    while ((await here.count()) === 0) {
      if (passed.length === most)
        throw new Error(`no ${role} “${String(name)}” on the way: ${passed.join(', ')}`);
      await this.press(back ? 'Shift+Tab' : 'Tab');
      const stop = await this.stop();
      passed.push(stop?.what ?? 'nothing');
      // After the last one comes the browser's own window, and then the first.
      if (stop) expect(stop).toMatchObject({ inView: true, outlined: true });
    }
  }

  /** Goes there and presses Enter. */
  async activate(role: Role, name: string | RegExp, way: Way = {}): Promise<void> {
    await this.tabTo(role, name, way);
    await this.press('Enter');
  }

  /** Opens what is folded, and waits for what is in it: that comes a moment after the key. */
  async unfold(name: string | RegExp): Promise<void> {
    await this.activate('summary', name);
    await this.find('summary', name).locator('xpath=following-sibling::*').waitFor();
  }

  /** Goes to a field and writes over what is in it. */
  async fill(name: string | RegExp, text: string, role: Role = 'textbox', way: Way = {}): Promise<void> {
    await this.tabTo(role, name, way);
    await this.press('ControlOrMeta+a');
    await this.type(text);
  }

  /** Where the focus is; nothing where it is lost. */
  stop(): Promise<Stop | null> {
    return this.page.evaluate<Stop | null>(lookAtFocus);
  }
}
