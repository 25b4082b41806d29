import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { sha256 } from '../../checkpoints/contentHash.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import type { ProviderChoice } from '../../../../src-shared/domain/providers.ts';
import { LikenessError } from '../../../../src-shared/messages/index.ts';
import { isFile, makeFolder } from '../../checkpoints/files.ts';
import type { Model } from '../../checkpoints/model.ts';
import { partsHash } from '../../checkpoints/modelHash.ts';
import { readSafetensors } from '../../checkpoints/safetensors.ts';
import { expectTensor, readF32, Weights } from '../../checkpoints/weights.ts';
import { writeSafetensors } from '../../checkpoints/writeSafetensors.ts';
import { automaticProvider } from '../../runtime/session.ts';
import type { Frame } from './aspectBuckets.ts';
import { latentShape, vaePosteriors, type Posterior } from './posteriors.ts';

export interface LatentCacheOptions {
  /** Of the pictures. */
  readonly frame: Frame;
  readonly provider: ProviderChoice;
  readonly cache: string;
}

/**
 * Posteriors of pictures, kept on disk below `cache` for later runs. Another VAE, size or provider (whose last bits differ) has
 * its own.
 */
export class LatentCache {
  private constructor(
    private readonly model: Model,
    private readonly options: LatentCacheOptions,
    private readonly folder: string,
  ) {}

  static async open(model: Model, options: LatentCacheOptions): Promise<LatentCache> {
    const { frame, provider, cache } = options;
    const { width, height } = frame;
    const size = width === height ? width : `${width}x${height}`;
    const computes = provider === 'auto' ? await automaticProvider() : provider;
    const folder = join(cache, 'latents', `${partsHash(model.vae)}-${size}-${computes}`);
    makeFolder(folder);
    return new LatentCache(model, options, folder);
  }

  /** Where the posterior of the picture that `key` stands for is kept. */
  fileOf(key: string | Float32Array): string {
    return join(this.folder, `${sha256(key, 32)}.safetensors`);
  }

  /** Errors: `weights.…`. */
  read(file: string): Posterior {
    const weights = new Weights(file, readSafetensors(file).tensors);
    const shape = latentShape(this.model, this.options.frame);
    const of = (name: string): Float32Array => readF32(expectTensor(weights, name, shape)).data;
    return { mean: of('mean'), deviation: of('deviation') };
  }

  /** Encodes pictures, [3,height,width] in −1…1, and keeps each as soon as it is there. Errors: those of `vaePosteriors`. */
  async encode(
    pictures: readonly { readonly file: string; readonly data: Float32Array }[],
    { signal, onPicture }: { readonly signal: AbortSignal; readonly onPicture?: () => void },
  ): Promise<void> {
    if (pictures.length === 0) return;
    const { frame, provider } = this.options;
    const shape = latentShape(this.model, frame);
    const data = pictures.map((picture) => picture.data);
    let done = 0;
    for await (const { mean, deviation } of vaePosteriors(this.model, data, frame, provider)) {
      writeSafetensors(pictures[done++]?.file as string, [
        { name: 'mean', tensor: { dtype: 'f32', shape, data: mean } },
        { name: 'deviation', tensor: { dtype: 'f32', shape, data: deviation } },
      ]);
      onPicture?.();
      // Lets the event loop turn, so that a signal can arrive.
      await setImmediate();
      signal.throwIfAborted();
    }
  }

  /** The posterior of each picture, by its pixels; what is not kept yet, or is damaged, is encoded. Errors: those of `encode`. */
  async posteriors(
    pictures: readonly Float32Array[],
    label: string,
    { report, signal }: JobContext,
  ): Promise<Posterior[]> {
    const all = pictures.map((data) => ({ data, file: this.fileOf(data) }));
    const missing = new Map(all.filter(({ file }) => !this.isWhole(file)).map((one) => [one.file, one]));
    let done = pictures.length - missing.size;
    const progress = (): void => report({ type: 'progress', done, total: pictures.length, label });
    progress();
    const onPicture = (): void => {
      done++;
      progress();
    };
    await this.encode([...missing.values()], { signal, onPicture });
    return all.map(({ file }) => this.read(file));
  }

  private isWhole(file: string): boolean {
    if (!isFile(file)) return false;
    try {
      this.read(file);
      return true;
    } catch (error) {
      if (error instanceof LikenessError) return false;
      throw error;
    }
  }
}
