import type { Input } from '../../src-shared/contract/index.ts';
import type { BlockAdvice } from '../../src-shared/domain/advice.ts';
import { listen, request } from '../client/index.ts';
import { attempt } from './toasts.svelte.ts';

/** What the blocks of models contribute, and making smaller models. */
class Compression {
  #advice = $state.raw<Readonly<Record<number, BlockAdvice | null>>>({});

  constructor() {
    listen('compression.advised', ({ modelId }) => void this.load(modelId));
  }

  adviceOn(modelId: number): BlockAdvice | null {
    return this.#advice[modelId] ?? null;
  }

  async load(modelId: number): Promise<void> {
    const found = await attempt(() => request('compression.advice', { modelId }));
    if (found !== undefined) this.#advice = { ...this.#advice, [modelId]: found };
  }

  async advise(modelId: number): Promise<void> {
    await attempt(() => request('compression.advise', { modelId }));
  }

  async make(modelId: number, what: Input<'compression.make'>['what']): Promise<boolean> {
    return (await attempt(() => request('compression.make', { modelId, what }))) !== undefined;
  }

  async distill(input: Input<'compression.distill'>): Promise<boolean> {
    return (await attempt(() => request('compression.distill', input))) !== undefined;
  }
}

export const compression = new Compression();
