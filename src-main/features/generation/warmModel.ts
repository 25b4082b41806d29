import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { identityOf } from '../../engine/checkpoints/contentHash.ts';
import { isFolder } from '../../engine/checkpoints/files.ts';
import { modelHash } from '../../engine/checkpoints/modelHash.ts';
import { openModel, withUnet } from '../../engine/checkpoints/openModel.ts';
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

/**
 * What a model draws by, as its contents say it: files are replaced inside a folder, and a run that goes on writes its checkpoints anew
 * under the same names. Errors: those of `openModel`, `file.*`.
 */
function keyOf({ model, unet, loras, embeddings = [], regions = [], ...rest }: Asked): string {
  const stored = openModel(model, rest.prediction);
  const whole = unet === undefined ? stored : withUnet(stored, unet);
  const parts = [whole.unet, whole.vae, whole.textEncoder, whole.textEncoder2];
  const configs = parts.map((part) => part?.configText);
  const { vocabFile, mergesFile, tokenizerFile, config, specialTokens } = whole.tokenizer ?? {};
  const words = [vocabFile, mergesFile, tokenizerFile].filter((file) => file !== undefined);
  const all = [...loras, ...regions.map(({ lora }) => lora)];
  const taught = all.map(({ path: place, weight }) => [place, weight, identityOf(filesAt(place))]);
  const embedded = embeddings.map(({ path: place, word }) => [place, word, identityOf([place])]);
  const { provider, precision, partial = false, prediction, clipSkip } = rest;
  return JSON.stringify([
    ...[model, unet, modelHash(whole), configs, whole.scheduler],
    ...[identityOf(words), config, specialTokens, taught, embedded],
    ...[provider, precision, partial, prediction, clipSkip],
  ]);
}

function filesAt(place: string): string[] {
  if (!isFolder(place)) return [place];
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}
