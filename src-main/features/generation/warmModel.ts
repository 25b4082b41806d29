import { statSync } from 'node:fs';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { openForGeneration, type OpenedModel } from './openForGeneration.ts';

type Asked = Parameters<typeof openForGeneration>[0];

/** Opens a model for pictures, and decides what happens to it afterwards. */
export interface Opener {
  open(asked: Asked, report: JobContext['report']): Promise<OpenedModel>;
  close(opened: OpenedModel): Promise<void>;
  /** Lets go of what is kept for more pictures. */
  end?(): Promise<void>;
}

/** Opens the model each time, and closes it afterwards. */
export const openAnew: Opener = {
  open: openForGeneration,
  close: ({ textToImage }) => textToImage.dispose(),
};

/** Keeps the last model, with its networks, for the next pictures of the same model. */
export class WarmModel implements Opener {
  private kept: { readonly key: string; readonly opened: OpenedModel } | undefined;

  async open(asked: Asked, report: JobContext['report']): Promise<OpenedModel> {
    const key = keyOf(asked);
    if (this.kept?.key === key) return this.kept.opened;
    await this.kept?.opened.textToImage.dispose();
    this.kept = undefined;
    const opened = await openForGeneration(asked, report);
    this.kept = { key, opened };
    return opened;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async end(): Promise<void> {
    await this.kept?.opened.textToImage.dispose();
    this.kept = undefined;
  }
}

/** A run that goes on writes its checkpoints anew under the same names. */
function keyOf({ model, unet = model, loras, embeddings = [], ...rest }: Asked): string {
  const stamp = (place: string): number => statSync(place, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const taught = loras.map(({ path, weight }) => [path, stamp(path), weight]);
  const words = embeddings.map(({ path, word }) => [path, stamp(path), word]);
  const { provider, precision, partial = false, prediction, clipSkip } = rest;
  const places = [model, stamp(model), unet, stamp(unet)];
  return JSON.stringify([places, taught, words, provider, precision, partial, prediction, clipSkip]);
}
