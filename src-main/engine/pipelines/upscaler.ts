import fs from 'node:fs';
import path from 'node:path';
import { sha256 } from '../checkpoints/contentHash.ts';
import { readSafetensors } from '../checkpoints/safetensors.ts';
import { Weights } from '../checkpoints/weights.ts';
import { input } from '../graph/build.ts';
import { span, spanReach } from '../models/span.ts';
import { Scope } from '../nn/scope.ts';
import type { Picture } from '../pictures/pixels.ts';
import { Session } from '../runtime/session.ts';
import { dims4, f32, type HostTensor } from '../tensor/tensor.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import type { Upscale, UpscaleFactor } from '../../../src-shared/domain/upscale.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { upscalerFile } from '../../shipped.ts';
import { partWeights } from './weights.ts';

type Floats = HostTensor<'f32'>;

/** Most pixels along an axis that are enlarged at once. */
const most = 512;

/**
 * What a tile sees beyond the pixels that it keeps. An output pixel depends on `spanReach` around it; those within another `spanReach`
 * of an edge would still be rounded differently, since convolutions go over edges in an order of their own.
 */
const margin = 2 * spanReach + 6;

/** What sharp writes without being told to accept more. */
const mostPixels = 0x3fff ** 2;

/** A stretch of one axis: what a tile sees, and what is kept of it. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
}

/** As few stretches as can be, of one length, that together keep each pixel of an axis once. */
export function stretches(length: number): Stretch[] {
  const count = length <= most ? 1 : Math.ceil((length - 2 * margin) / (most - 2 * margin));
  const seen = Math.ceil((length + (count - 1) * 2 * margin) / count);
  const kept = Math.max(0, seen - 2 * margin);
  return Array.from({ length: count }, (_, i) => {
    const start = Math.min(i * kept, length - seen);
    const isLast = i === count - 1;
    return {
      ...{ start, end: start + seen, from: i === 0 ? 0 : margin + i * kept },
      to: isLast ? length : margin + (i + 1) * kept,
    };
  });
}

/** What a recipe says of it: the network's name, and the beginning of its file's SHA-256. */
export function upscaleInRecipe({ factor, strength }: Upscale): NonNullable<Recipe['upscale']> {
  const file = upscalerFile(factor);
  const hash = sha256(fs.readFileSync(file), 16);
  const network = { name: path.parse(file).name, hash };
  return { factor, network, ...(strength !== undefined && { strength }) };
}

/** Throws `upscale.tooLarge` where a picture would become too large. */
export function checkEnlargedSize(
  { width, height }: Pick<Picture, 'width' | 'height'>,
  factor: UpscaleFactor,
): void {
  if (width * height * factor ** 2 > mostPixels) throw problem('upscale.tooLarge', { width, height, factor });
}

/** Enlarges pictures with SPAN, tile by tile, to the bits that the whole picture would get at once. */
export class Upscaler {
  private session: { readonly key: string; readonly session: Session } | undefined;

  private constructor(
    private readonly weights: Weights,
    readonly factor: UpscaleFactor,
    private readonly provider: ProviderChoice,
  ) {}

  /** Errors: those of `readSafetensors`. */
  static open(factor: UpscaleFactor, provider: ProviderChoice): Upscaler {
    const file = upscalerFile(factor);
    const { tensors, otherTypes } = readSafetensors(file);
    return new Upscaler(new Weights(file, tensors, otherTypes), factor, provider);
  }

  /** `onTile` is told the share that is done, 0…1. Errors: `upscale.tooLarge`, `tensor.*`, `output.notFinite`, those of running a graph. */
  async enlarge(
    picture: Picture,
    { signal, onTile }: { signal?: AbortSignal; onTile?: (share: number) => void } = {},
  ): Promise<Picture> {
    const { factor } = this;
    checkEnlargedSize(picture, factor);
    const [width, height] = [factor * picture.width, factor * picture.height];
    const large = { width, height, data: new Uint8Array(3 * width * height) };
    const [rows, columns] = [stretches(picture.height), stretches(picture.width)];
    let done = 0;
    for (const row of rows)
      for (const column of columns) {
        signal?.throwIfAborted();
        put(large, await this.run(cut(picture, row, column)), row, column, factor);
        onTile?.(++done / (rows.length * columns.length));
      }
    return large;
  }

  /** RGB [1,3,h,w] in 0…1 → [1,3,f·h,f·w], about 0…1. */
  async run(pixels: Floats): Promise<Floats> {
    const key = pixels.shape.join();
    if (this.session?.key !== key) {
      await this.dispose();
      this.session = { key, session: await this.compiled(pixels) };
    }
    const results = await this.session.session.runHost({ pictures: pixels });
    const large = results['large'] as Floats;
    if (large.data.every(Number.isFinite)) return large;
    throw problem('output.notFinite', { model: this.weights.source, part: 'upscaler' });
  }

  async dispose(): Promise<void> {
    await this.session?.session.dispose();
    this.session = undefined;
  }

  private compiled({ shape }: Floats): Promise<Session> {
    const channels = this.weights.get('first.bias')?.shape[0] ?? 0;
    const pictures = input('pictures', shape);
    const graph = { outputs: { large: span(Scope.root('span'), pictures, channels, this.factor) } };
    return Session.compile(graph, { provider: this.provider, weights: partWeights(graph, this.weights) });
  }
}

/** What a tile sees: [1,3,h,w] in 0…1. */
function cut({ width, data }: Picture, row: Stretch, column: Stretch): Floats {
  const { start: top } = row;
  const { start: left } = column;
  const [tall, wide] = [row.end - top, column.end - left];
  const tile = f32([1, 3, tall, wide]);
  for (let channel = 0; channel < 3; channel++)
    for (let y = 0; y < tall; y++)
      for (let x = 0; x < wide; x++)
        tile.data[(channel * tall + y) * wide + x] =
          (data[3 * ((top + y) * width + left + x) + channel] as number) / 255;
  return tile;
}

/** Puts what is kept of an enlarged tile in its place. */
function put(large: Picture, { shape, data }: Floats, row: Stretch, column: Stretch, factor: number): void {
  const [, , tall, wide] = dims4(shape);
  const [top, left] = [factor * row.start, factor * column.start];
  for (let y = factor * row.from; y < factor * row.to; y++)
    for (let x = factor * column.from; x < factor * column.to; x++)
      for (let channel = 0; channel < 3; channel++) {
        const value = data[(channel * tall + y - top) * wide + x - left] as number;
        large.data[3 * (y * large.width + x) + channel] = Math.round(255 * Math.min(1, Math.max(0, value)));
      }
}
