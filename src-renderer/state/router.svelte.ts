export const screens = [
  'welcome',
  'subjects',
  'train',
  'generate',
  'gallery',
  'scores',
  'models',
  'settings',
] as const;
export type ScreenName = (typeof screens)[number];

/** Which screen is shown: `#/train/12` is screen `train` with argument `12`, so that Back and Forward work. */
class Router {
  #hash = $state(location.hash);

  constructor() {
    addEventListener('hashchange', () => (this.#hash = location.hash));
  }

  get screen(): ScreenName {
    return screens.find((name) => name === this.#parts[0]) ?? 'subjects';
  }

  /** The number in the address: a run, a subject. */
  get id(): number | undefined {
    const id = Number(this.#parts[1]);
    return Number.isSafeInteger(id) && id > 0 ? id : undefined;
  }

  /** The words after the screen. */
  get words(): readonly string[] {
    return this.#parts.slice(1);
  }

  get #parts(): readonly string[] {
    return this.#hash.replace(/^#\/?/, '').split('/');
  }

  go(screen: ScreenName, ...words: (string | number)[]): void {
    location.hash = ['#', screen, ...words].join('/');
  }
}

export const router = new Router();
