import { readWeightFile } from '../checkpoints/weightFiles.ts';
import { Weights } from '../checkpoints/weights.ts';
import { input } from '../graph/build.ts';
import { inception } from '../models/inception.ts';
import { Scope } from '../nn/scope.ts';
import type { Picture } from '../pictures/pixels.ts';
import { resizeFloat } from '../pictures/resample.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';
import { Session } from '../runtime/session.ts';
import type { FileTensor } from '../tensor/tensor.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { batch, batchOf, checkFinite, rows } from './inBatches.ts';
import { partWeights } from '../pipelines/weights.ts';

const inceptionSize = 299;

/** `clean`: bicubic and antialiased, of unrounded values (Parmar et al. 2022). `legacy`: pytorch-fid's plain bilinear. */
export type InceptionResize = 'clean' | 'legacy';

export interface InceptionView {
  readonly features: Float32Array;
  readonly logits: Float32Array;
}

/** FID's network, from the user's `pt_inception-2015-12-05` file (pytorch-fid's or torch-fidelity's) or the same as safetensors. */
export class InceptionFeatures {
  private constructor(
    private readonly session: Session,
    private readonly file: string,
    private readonly resize: InceptionResize,
  ) {}

  /** Errors: those of the readers of weights, `scorer.notOne`. */
  static async open(
    file: string,
    resize: InceptionResize,
    provider: ProviderChoice,
  ): Promise<InceptionFeatures> {
    const { tensors, otherTypes } = readWeightFile(file);
    const weights = new Weights(file, tensors, otherTypes);
    const entry = (name: string): FileTensor => {
      const found = tensors.get(name);
      if (found) return found;
      throw problem('scorer.notOne', {
        file,
        wanted: `pytorch-fid's Inception weights ("${name}" is missing)`,
      });
    };
    const pixels = input('pixels', [batch, 3, inceptionSize, inceptionSize]);
    const graph = { outputs: inception(Scope.root('inception'), pixels, (name) => entry(name).shape) };
    const session = await Session.compile(graph, { provider, weights: partWeights(graph, weights) });
    return new InceptionFeatures(session, file, resize);
  }

  /** Errors: `output.notFinite`. */
  async pictures(pictures: readonly Picture[]): Promise<InceptionView[]> {
    const views: InceptionView[] = [];
    for (let from = 0; from < pictures.length; from += batch) {
      const some = pictures.slice(from, from + batch);
      const seenPixels = some.map((picture) => inceptionPixels(picture, this.resize));
      const pixels = batchOf(seenPixels, [inceptionSize, inceptionSize]);
      const { features, logits } = await this.session.runHost({ pixels });
      const [seen, classes] = [rows(features, some.length), rows(logits, some.length)];
      checkFinite(seen, this.file, 'Inception network');
      views.push(...seen.map((row, i) => ({ features: row, logits: classes[i] as Float32Array })));
    }
    return views;
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }
}

/** [3,299,299] in −1…1. */
function inceptionPixels(picture: Picture, resize: InceptionResize): Float32Array {
  const bytes =
    resize === 'clean'
      ? resizeFloat(picture, inceptionSize, inceptionSize, 'bicubic')
      : interpolated(picture, inceptionSize);
  const plane = inceptionSize ** 2;
  return Float32Array.from({ length: 3 * plane }, (_, i) => {
    const byte = bytes[3 * (i % plane) + Math.floor(i / plane)] as number;
    return (2 * Math.min(255, Math.max(0, byte))) / 255 - 1;
  });
}

/** torch's `interpolate(mode='bilinear', align_corners=False)`: without antialiasing. Three values a pixel. */
function interpolated({ width, height, data }: Picture, size: number): Float32Array {
  const result = new Float32Array(3 * size * size);
  const place = (i: number, from: number): { low: number; high: number; share: number } => {
    const at = Math.max(0, ((i + 0.5) * from) / size - 0.5);
    const low = Math.min(from - 1, Math.floor(at));
    return { low, high: Math.min(from - 1, low + 1), share: at - low };
  };
  for (let y = 0; y < size; y++) {
    const row = place(y, height);
    for (let x = 0; x < size; x++) {
      const column = place(x, width);
      for (let channel = 0; channel < 3; channel++) {
        const byte = (r: number, c: number): number => data[3 * (r * width + c) + channel] as number;
        const across = (r: number): number =>
          byte(r, column.low) * (1 - column.share) + byte(r, column.high) * column.share;
        result[3 * (y * size + x) + channel] =
          across(row.low) * (1 - row.share) + across(row.high) * row.share;
      }
    }
  }
  return result;
}
