import type { VaeConfig } from '../models/config.ts';
import { TorchGenerator } from '../tensor/random.ts';
import { dims4, type HostTensor } from '../tensor/tensor.ts';
import type { Networks } from './networks.ts';
import type { Picture } from '../pictures/pixels.ts';

type Floats = HostTensor<'f32'>;

/** Latents a side of the picture that the colours are learnt from. */
const side = 24;
/** Keeps the fit stable where two channels are alike. */
const ridge = 1e-3;

/**
 * Colours of latents without the decoder: red, green and blue as linear functions of a latent's channels, which is close enough to
 * recognize a picture that is being made. The functions are fitted by least squares to what the model's own encoder makes
 * of coloured patches, so any VAE will do; that is one call of the encoder on a small picture.
 */
export class LatentColours {
  /** `weights[channel][colour]`; the last row is constant. */
  private constructor(private readonly weights: readonly (readonly number[])[]) {}

  static async of(networks: Networks, config: VaeConfig): Promise<LatentColours> {
    const factor = 2 ** (config.block_out_channels.length - 1);
    const patches = colouredPatches();
    const { mean } = await networks.encode(enlarged(patches, factor, config.in_channels));
    await networks.release('encoder');
    return new LatentColours(fit(mean, patches, config.scaling_factor));
  }

  /** Latents [1,c,h,w] as the sampler has them → a picture of h × w pixels. */
  picture({ shape, data }: Floats): Picture {
    const [, channels, height, width] = dims4(shape);
    const area = height * width;
    const bytes = new Uint8Array(3 * area);
    for (let i = 0; i < area; i++)
      for (let colour = 0; colour < 3; colour++) {
        let value = this.weights[channels]?.[colour] ?? 0;
        for (let c = 0; c < channels; c++)
          value += (this.weights[c]?.[colour] ?? 0) * (data[c * area + i] as number);
        bytes[3 * i + colour] = Math.min(255, Math.max(0, Math.round((value / 2 + 0.5) * 255)));
      }
    return { width, height, data: bytes };
  }
}

/** [3, side, side] in [-1,1]: blocks of one colour, four latents a side, so that most latents see a single colour. */
function colouredPatches(): Float32Array {
  const blocks = side / 4;
  const colours = new TorchGenerator(0).randn([3, blocks, blocks]).map((value) => Math.tanh(value));
  return Float32Array.from({ length: 3 * side * side }, (_, at) => {
    const [colour, y, x] = [Math.floor(at / side ** 2), Math.floor(at / side) % side, at % side];
    return colours[(colour * blocks + Math.floor(y / 4)) * blocks + Math.floor(x / 4)] as number;
  });
}

function enlarged(patches: Float32Array, factor: number, channels: number): Floats {
  const size = side * factor;
  const data = Float32Array.from({ length: channels * size * size }, (_, at) => {
    const [channel, y, x] = [Math.floor(at / size ** 2), Math.floor(at / size) % size, at % size];
    const colour = Math.min(channel, 2);
    return patches[(colour * side + Math.floor(y / factor)) * side + Math.floor(x / factor)] as number;
  });
  return { dtype: 'f32', shape: [1, channels, size, size], data };
}

function fit({ shape, data }: Floats, patches: Float32Array, scale: number): number[][] {
  const channels = shape[1] as number;
  const area = side * side;
  const row = (i: number): number[] =>
    Array.from({ length: channels + 1 }, (_, c) =>
      c < channels ? (data[c * area + i] as number) * scale : 1,
    );
  const size = channels + 1;
  const squares = Array.from({ length: size }, (_, c) =>
    Array.from({ length: size }, (_, d) => (c === d ? ridge * area : 0)),
  );
  const targets = Array.from({ length: size }, () => [0, 0, 0]);
  for (let i = 0; i < area; i++) {
    const x = row(i);
    for (let c = 0; c < size; c++) {
      for (let d = 0; d < size; d++)
        (squares[c] as number[])[d] = at(squares, c, d) + at([x], 0, c) * at([x], 0, d);
      for (let colour = 0; colour < 3; colour++)
        (targets[c] as number[])[colour] =
          at(targets, c, colour) + at([x], 0, c) * (patches[colour * area + i] as number);
    }
  }
  return solved(squares, targets);
}

/** X with A·X = B, by elimination; A is symmetric and positive. */
function solved(a: number[][], b: number[][]): number[][] {
  const rows = a.map((row, i) => [...row, ...(b[i] as number[])]);
  const size = a.length;
  for (let pivot = 0; pivot < size; pivot++)
    for (let r = 0; r < size; r++) {
      if (r === pivot) continue;
      const share = at(rows, r, pivot) / at(rows, pivot, pivot);
      rows[r] = (rows[r] as number[]).map((value, c) => value - share * at(rows, pivot, c));
    }
  return rows.map((row, i) => row.slice(size).map((value) => value / at(rows, i, i)));
}

function at(rows: readonly (readonly number[])[], r: number, c: number): number {
  return rows[r]?.[c] as number;
}
