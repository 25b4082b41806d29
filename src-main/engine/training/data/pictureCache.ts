import { setImmediate } from 'node:timers/promises';
import { join } from 'node:path';
import { statSync } from 'node:fs';
import { sha256 } from '../../checkpoints/contentHash.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { LikenessError } from '../../../../src-shared/messages/index.ts';
import { isFile, makeFolder } from '../../checkpoints/files.ts';
import type { Model } from '../../checkpoints/model.ts';
import { partsHash } from '../../checkpoints/modelHash.ts';
import { readSafetensors } from '../../checkpoints/safetensors.ts';
import { expectTensor, readF32, Weights } from '../../checkpoints/weights.ts';
import { writeSafetensors } from '../../checkpoints/writeSafetensors.ts';
import { contextWidth } from '../../models/textEncoders.ts';
import { Networks } from '../../pipelines/networks.ts';
import { openTokenizer } from '../../pipelines/openTokenizer.ts';
import type { ProviderChoice } from '../../../../src-shared/domain/providers.ts';
import { i64, type HostTensor, type Shape } from '../../tensor/tensor.ts';
import { square } from './aspectBuckets.ts';
import type { CaptionedPicture } from './captionedPictures.ts';
import { loadPhoto, mirrored } from './photoPixels.ts';
import { LatentCache } from './latentCache.ts';
import type { Posterior } from './posteriors.ts';
import { tokenIds } from './prompts.ts';
import { plural } from '../../../../src-shared/plural.ts';

export interface EncodeOptions {
  readonly size: number;
  /** Mirrored pictures too. */
  readonly flip: boolean;
  readonly provider: ProviderChoice;
  readonly cache: string;
}

/** Pictures encoded together: what is in memory at a time. */
const atOnce = 32;

/**
 * Latents and text features of captioned pictures, kept on disk below `cache` so that this run can resume and others reuse them:
 * latents by VAE, picture (path, size and time of change), side and flip; text features by text encoder and tokens.
 */
export class PictureCache {
  private constructor(
    private readonly pictures: readonly { readonly latents: readonly string[]; readonly text: string }[],
    private readonly kept: LatentCache,
    private readonly textShape: Shape,
  ) {}

  get count(): number {
    return this.pictures.length;
  }

  /** Encodes what is not cached yet; `onSkip` gets pictures that can't be read. Errors: those of the networks. */
  static async prepare(
    model: Model,
    pictures: readonly CaptionedPicture[],
    options: EncodeOptions,
    onSkip: (line: string) => void,
    context: JobContext,
  ): Promise<PictureCache> {
    const kept = await LatentCache.open(model, { ...options, frame: square(options.size) });
    const usable = await encodeAll(kept, pictures, options, onSkip, context);
    const texts = await encodeCaptions(
      model,
      usable.map(({ caption }) => caption),
      options,
      context,
    );
    const { max_position_embeddings: tokens } = model.textEncoder.config;
    return new PictureCache(
      usable.map(({ latents, caption }) => ({ latents, text: texts.get(caption) as string })),
      kept,
      [tokens, contextWidth(model)],
    );
  }

  /** Of picture `index`; `flipped` asks for the mirrored one. */
  posterior(index: number, flipped: boolean): Posterior {
    return this.kept.read(this.pictures[index]?.latents[Number(flipped)] as string);
  }

  /** [t,d] of picture `index`'s caption. */
  context(index: number): Float32Array {
    return readOne(this.pictures[index]?.text as string, 'context', this.textShape);
  }

  /** [p] of picture `index`'s caption: SDXL's pooled prompt. */
  pooled(index: number, width: number): Float32Array {
    return readOne(this.pictures[index]?.text as string, 'pooled', [width]);
  }
}

function readOne(file: string, name: string, shape: Shape): Float32Array {
  const { tensors } = readSafetensors(file);
  return readF32(expectTensor(new Weights(file, tensors), name, shape)).data;
}

type Encodable = CaptionedPicture & { readonly latents: readonly string[] };

async function encodeAll(
  kept: LatentCache,
  pictures: readonly CaptionedPicture[],
  { size, flip }: EncodeOptions,
  onSkip: (line: string) => void,
  { report, signal }: JobContext,
): Promise<Encodable[]> {
  const usable: Encodable[] = [];
  let done = 0;
  for (let start = 0; start < pictures.length; start += atOnce) {
    const missing: { readonly file: string; readonly data: Float32Array }[] = [];
    for (const picture of pictures.slice(start, start + atOnce)) {
      await setImmediate();
      signal.throwIfAborted();
      const { size: bytes, mtimeMs } = statSync(picture.file);
      const latents = ['', 'mirrored']
        .slice(0, flip ? 2 : 1)
        .map((how) => kept.fileOf(`${picture.file}|${bytes}|${mtimeMs}|${how}`));
      try {
        const wanting = latents.filter((file) => !isFile(file));
        const data = wanting.length > 0 ? await loadPhoto(picture.file, { frame: square(size) }) : undefined;
        for (const file of wanting)
          missing.push({
            file,
            data: file === latents[0] ? (data as Float32Array) : mirrored(data as Float32Array, size),
          });
        usable.push({ ...picture, latents });
      } catch (error) {
        if (!(error instanceof LikenessError)) throw error;
        onSkip(`${picture.file}: ${error.message}`);
      }
    }
    await kept.encode(missing, { signal });
    done = Math.min(start + atOnce, pictures.length);
    report({ type: 'progress', done, total: pictures.length, label: 'reading pictures' });
  }
  return usable;
}

/** The file of each caption's features. */
async function encodeCaptions(
  model: Model,
  captions: readonly string[],
  { provider, cache }: EncodeOptions,
  { report, signal }: JobContext,
): Promise<Map<string, string>> {
  const { textEncoder, textEncoder2 } = model;
  const encoders = [textEncoder, ...(textEncoder2 ? [textEncoder2] : [])];
  const folder = join(cache, 'text-features', partsHash(...encoders));
  makeFolder(folder);
  const tokenizer = await openTokenizer(model);
  const networks = new Networks(model, { provider });
  const distinct = [...new Set(captions)];
  const files = new Map<string, string>();
  let cut = 0;
  try {
    for (const caption of distinct) {
      await setImmediate();
      signal.throwIfAborted();
      const { ids, truncated } = tokenIds(model, tokenizer, caption);
      if (truncated !== undefined) cut++;
      const file = join(folder, `${sha256(ids.join(), 32)}.safetensors`);
      if (!isFile(file)) {
        const { context, pooled } = await networks.encodeText(i64([1, ids.length], ids));
        write(file, { context: first(context), ...(pooled && { pooled: first(pooled) }) });
      }
      files.set(caption, file);
      report({ type: 'progress', done: files.size, total: distinct.length, label: 'reading captions' });
    }
  } finally {
    await networks.release();
  }
  if (cut > 0)
    report({
      type: 'warning',
      message: `${plural(cut, 'caption is too long and was cut', 'captions are too long and were cut')}.`,
    });
  return files;
}

/** Of a batch of one. */
const first = (tensor: HostTensor): HostTensor => ({ ...tensor, shape: tensor.shape.slice(1) });

function write(file: string, tensors: Readonly<Record<string, HostTensor>>): void {
  writeSafetensors(
    file,
    Object.entries(tensors).map(([name, tensor]) => ({ name, tensor })),
  );
}
