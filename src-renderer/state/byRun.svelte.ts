/** What the studio knows of each opened run. */
export class ByRun<T> {
  #known = $state.raw<Readonly<Record<number, T>>>({});

  /** `ask` fetches it; undefined where that failed. */
  constructor(private readonly ask: (runId: number) => Promise<T | undefined>) {}

  /** Undefined until it is loaded. */
  of(runId: number | undefined): T | undefined {
    return runId === undefined ? undefined : this.#known[runId];
  }

  async load(runId: number): Promise<void> {
    const found = await this.ask(runId);
    if (found !== undefined) this.#known = { ...this.#known, [runId]: found };
  }

  /** After a change of one run, which may not have been opened. */
  async changed({ runId }: { readonly runId: number }): Promise<void> {
    if (runId in this.#known) await this.load(runId);
  }

  async loadAgain(): Promise<void> {
    await Promise.all(Object.keys(this.#known).map((runId) => this.load(Number(runId))));
  }
}
