/**
 * What the stand-in puts into every page: two worlds that see one document and none of each other's objects, as Electron's context
 * isolation has them. Both functions travel to the page as text.
 */

/** What of a page's globals is used; the tests are checked with Node's. */
interface World {
  readonly dispatchEvent: (event: CustomEvent) => boolean;
  readonly addEventListener: (name: string, heard: (event: CustomEvent) => void) => void;
  readonly self: object;
  readonly top: object;
}

interface Call {
  readonly id: number;
  readonly target: number;
  readonly words: readonly unknown[];
}

/** In the page's world, before the page's own scripts: waits for what the preload script exposes, and calls it by message. */
export function pageWorld(secret: string): void {
  const world = globalThis as unknown as World;
  const callbacks = new Map<number, (...words: unknown[]) => void>();
  const waiting = new Map<number, (answer: { kind: string; value: unknown }) => void>();
  let last = 0;
  const send = (name: string, detail: unknown): boolean =>
    world.dispatchEvent(new CustomEvent(`${secret}:${name}`, { detail }));
  const receive = (name: string, heard: (detail: never) => void): void =>
    world.addEventListener(`${secret}:${name}`, (event) => heard(event.detail as never));

  const proxy =
    (target: number) =>
    (...words: unknown[]): unknown => {
      const id = (last += 1);
      let answered: unknown;
      const settled = new Promise((resolve) =>
        waiting.set(id, ({ kind, value }) => {
          if (kind === 'function') answered = proxy(value as number);
          else if (kind === 'promise') answered = settled;
          else if (kind === 'settled') resolve(value);
          else answered = value;
          if (kind !== 'promise') waiting.delete(id);
        }),
      );
      const sent = words.map((word) => {
        if (typeof word !== 'function') return word;
        callbacks.set((last += 1), word as () => void);
        return { [secret]: last };
      });
      send('call', { id, target, words: sent } satisfies Call);
      return answered;
    };
  receive('answer', (answer: { id: number; kind: string; value: unknown }) =>
    waiting.get(answer.id)?.(answer),
  );
  receive('callback', ({ callback, words }: { callback: number; words: unknown[] }) =>
    callbacks.get(callback)?.(...words),
  );
  receive('expose', ({ name, functions }: { name: string; functions: readonly [string, number][] }) => {
    const api = Object.fromEntries(functions.map(([key, target]) => [key, proxy(target)]));
    Object.defineProperty(globalThis, name, { value: Object.freeze(api) });
  });
}

/** In the preload script's world: `require('electron')` as a sandboxed preload script has it. `binding`: the way to the main process. */
export function preloadWorld(secret: string, binding: string, preload: (require: unknown) => void): void {
  const world = globalThis as unknown as World;
  if (world.self !== world.top) return;
  type Anything = (...words: unknown[]) => unknown;
  const functions = new Map<number, Anything>();
  const waiting = new Map<number, (answer: unknown) => void>();
  const listeners = new Map<string, Set<Anything>>();
  let last = 0;
  const dispatch = (name: string, detail: unknown): boolean =>
    world.dispatchEvent(new CustomEvent(`${secret}:${name}`, { detail }));
  const keep = (made: Anything): number => {
    functions.set((last += 1), made);
    return last;
  };

  world.addEventListener(`${secret}:call`, (event) => {
    const { id, target, words } = event.detail as Call;
    const received = words.map((word) => {
      const callback = (word as Record<string, number> | null | undefined)?.[secret];
      return callback === undefined
        ? word
        : (...heard: unknown[]) => dispatch('callback', { callback, words: heard });
    });
    const value = functions.get(target)?.(...received);
    if (value instanceof Promise) {
      dispatch('answer', { id, kind: 'promise' });
      void value.then((settled: unknown) => dispatch('answer', { id, kind: 'settled', value: settled }));
    } else if (typeof value === 'function')
      dispatch('answer', { id, kind: 'function', value: keep(value as Anything) });
    else dispatch('answer', { id, kind: 'value', value });
  });
  Object.assign(globalThis, {
    [`${secret}:answer`]: (id: number, answer: unknown) => {
      waiting.get(id)?.(answer);
      waiting.delete(id);
    },
    [`${secret}:send`]: (channel: string, words: unknown[]) => {
      for (const listener of listeners.get(channel) ?? []) listener({}, ...words);
    },
  });
  const electron = {
    contextBridge: {
      exposeInMainWorld: (name: string, api: Record<string, Anything>) =>
        dispatch('expose', {
          name,
          functions: Object.entries(api).map(([key, value]) => [key, keep(value)]),
        }),
    },
    ipcRenderer: {
      invoke: (channel: string, ...words: unknown[]) =>
        new Promise((resolve) => {
          waiting.set((last += 1), resolve);
          const toMain = Reflect.get(globalThis, binding) as (text: string) => void;
          toMain(JSON.stringify({ id: last, channel, words }));
        }),
      on: (channel: string, listener: Anything) => {
        listeners.set(channel, (listeners.get(channel) ?? new Set()).add(listener));
      },
      removeListener: (channel: string, listener: Anything) => listeners.get(channel)?.delete(listener),
    },
    // Only Electron knows where a dropped file lies; here it is as pasted ones are, without a place.
    webUtils: { getPathForFile: () => '' },
  };
  preload((name: string) => {
    if (name === 'electron') return electron;
    throw new Error(`a sandboxed preload script cannot require ${name}`);
  });
}
