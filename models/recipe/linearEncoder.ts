import { readFileSync } from 'node:fs';
import { elementCount, f32, type HostTensor, type Shape } from '../../src-main/engine/tensor/tensor.ts';
import { vaeConfig } from './modelConfig.ts';
import { principalAxes } from './principalAxes.ts';

/** A square map of features, [side,side,channels]. */
interface Features {
  side: number;
  channels: number;
  values: Float32Array;
}

/** One halving of height and width: output k is the product of row k with the 2×2 pixels below it, [dy,dx,channel]. */
export interface Halving {
  readonly channels: number;
  readonly rows: readonly ArrayLike<number>[];
}

export interface LinearEncoder {
  readonly halvings: readonly Halving[];
  /** Subtracted at the end. */
  readonly offset: number[];
}

/** The posterior's log-variance, everywhere: a deviation of a twentieth of the latents'. */
export const posteriorLogvar = -6;

/**
 * The linear encoder that keeps most of `pictures` ([3,side,side] in −1…1): halved three times, each time the principal axes
 * of 2×2 blocks. Latents have unit variance over all channels; each channel's deviation is the square root of what it
 * would be on its axis, so that the fine ones are neither drowned nor as loud as the coarse.
 */
export function fitLinearEncoder(pictures: readonly Float32Array[], side: number): LinearEncoder {
  const { latent_channels: latents, block_out_channels: widths } = vaeConfig;
  let maps = pictures.map((picture): Features => toFeatures(picture, side));
  const halvings: Halving[] = [];
  let offset: number[] = [];
  for (const [level, kept] of [12, widths[1] as number, latents].entries()) {
    const channels = maps[0]?.channels as number;
    const blocks = maps.map(toBlocks);
    const samples = new Float32Array(blocks.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const block of blocks) {
      samples.set(block, at);
      at += block.length;
    }
    const { axes, deviations, mean } = principalAxes(samples, 4 * channels, kept);
    const last = level === 2;
    const total = Math.sqrt(deviations.reduce((sum, d) => sum + d, 0) / kept);
    const rows = axes.map((axis, k) =>
      last ? axis.map((x) => x / (Math.sqrt(deviations[k] as number) * total)) : axis,
    );
    halvings.push({ channels, rows });
    if (last) offset = rows.map((row) => row.reduce((sum, x, i) => sum + x * (mean[i] as number), 0));
    else
      maps = maps.map(({ side: before }, i) => ({
        side: before / 2,
        channels: kept,
        values: product(blocks[i] as Float32Array, rows),
      }));
  }
  return { halvings, offset };
}

/** What `fitEncoder.ts` wrote. */
export function readLinearEncoder(file: string): LinearEncoder {
  return JSON.parse(readFileSync(file, 'utf8')) as LinearEncoder;
}

function toFeatures(picture: Float32Array, side: number): Features {
  const values = new Float32Array(picture.length);
  const pixels = side * side;
  for (let i = 0; i < pixels; i++)
    for (let c = 0; c < 3; c++) values[i * 3 + c] = picture[c * pixels + i] as number;
  return { side, channels: 3, values };
}

/** [side/2·side/2, 4·channels]. */
function toBlocks({ side, channels, values }: Features): Float32Array {
  const blocks = new Float32Array(values.length);
  let to = 0;
  for (let y = 0; y < side; y += 2) {
    for (let x = 0; x < side; x += 2) {
      for (let dy = 0; dy < 2; dy++) {
        const from = ((y + dy) * side + x) * channels;
        blocks.set(values.subarray(from, from + 2 * channels), to);
        to += 2 * channels;
      }
    }
  }
  return blocks;
}

function product(blocks: Float32Array, rows: readonly ArrayLike<number>[]): Float32Array {
  const n = rows[0]?.length as number;
  const out = new Float32Array((blocks.length / n) * rows.length);
  for (let r = 0; r < blocks.length / n; r++) {
    for (const [k, row] of rows.entries()) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += (row[i] as number) * (blocks[r * n + i] as number);
      out[r * rows.length + k] = sum;
    }
  }
  return out;
}

/** All three halvings as one convolution of stride 8: weight [latents,3,8,8], and its bias. */
export function asPatchConvolution({ halvings, offset }: LinearEncoder): {
  weight: HostTensor<'f32'>;
  bias: HostTensor<'f32'>;
} {
  /** What each feature is of the pixels below it: [channel][side·side·3]. */
  let sides = 1;
  let kernels: Float64Array[] = [0, 1, 2].map((c) => Float64Array.from([0, 1, 2], (k) => (k === c ? 1 : 0)));
  for (const { rows, channels } of halvings) {
    const previous = kernels;
    const half = sides;
    sides *= 2;
    kernels = rows.map((row) => {
      const kernel = new Float64Array(sides * sides * 3);
      for (let block = 0; block < 4; block++) {
        for (let c = 0; c < channels; c++) {
          const factor = row[block * channels + c] as number;
          const small = previous[c] as Float64Array;
          for (let i = 0; i < small.length; i++) {
            const [y, x] = [Math.floor(i / 3 / half), Math.floor(i / 3) % half];
            const to = (((block >> 1) * half + y) * sides + (block & 1) * half + x) * 3 + (i % 3);
            kernel[to] = (kernel[to] as number) + factor * (small[i] as number);
          }
        }
      }
      return kernel;
    });
  }
  const area = sides * sides;
  const weight = new Float32Array(kernels.length * 3 * area);
  for (const [k, kernel] of kernels.entries())
    for (let i = 0; i < kernel.length; i++)
      weight[(k * 3 + (i % 3)) * area + Math.floor(i / 3)] = kernel[i] as number;
  return {
    weight: f32([kernels.length, 3, sides, sides], weight),
    bias: f32(
      [kernels.length],
      offset.map((x) => -x),
    ),
  };
}

/** Size of the latents before the last norm, beside the ±1 that fix its scale. */
const beforeNorm = 0.02;

/**
 * The same encoder as the weights of an `AutoencoderKL`: the halvings are its stride-2 convolutions, residual branches are
 * zero. The last norm would rescale every picture: two channels of each group at ±1 (biases of the last shortcut) outweigh the
 * rest, so its scale is fixed. SiLU comes after it: each latent goes through as a pair, silu(x) − silu(−x) = x.
 */
export function encoderWeight(
  encoder: LinearEncoder,
  name: string,
  shape: Shape,
): HostTensor<'f32'> | undefined {
  const { latent_channels: latents, block_out_channels: widths, norm_num_groups: groups } = vaeConfig;
  const path = name.replace(/^vae\./, '');
  if (!/^(encoder|quant_conv)\b/.test(path)) return undefined;
  const data = new Float32Array(elementCount(shape));
  const [, inputs = 1, height = 1, width = 1] = shape;
  const put = (o: number, i: number, value: number, y = height >> 1, x = width >> 1): void => {
    data[((o * inputs + i) * height + y) * width + x] = value;
  };
  const innermost = widths.length - 1;
  const perGroup = (widths[innermost] as number) / groups;
  /** Channel of latent k's positive half; the negative one follows. The first two of each group are the ±1. */
  const place = (k: number): number => (k % groups) * perGroup + 2 + 2 * Math.floor(k / groups);

  const halving = /down_blocks\.(\d)\.downsamplers\.0\.conv\.weight$/.exec(path);
  if (/norm\w*\.weight$/.test(path)) data.fill(1);
  else if (path === 'encoder.conv_in.weight') for (let c = 0; c < 3; c++) put(c, c, 1);
  else if (halving) {
    const { rows, channels } = encoder.halvings[Number(halving[1])] as Halving;
    for (const [o, row] of rows.entries())
      for (let i = 0; i < row.length; i++) {
        const block = Math.floor(i / channels);
        put(o, i % channels, row[i] as number, block >> 1, block & 1);
      }
  } else if (path === `encoder.down_blocks.${innermost}.resnets.0.conv_shortcut.weight`) {
    for (let k = 0; k < latents; k++) {
      put(place(k), k, beforeNorm);
      put(place(k) + 1, k, -beforeNorm);
    }
  } else if (path === `encoder.down_blocks.${innermost}.resnets.0.conv_shortcut.bias`) {
    for (let g = 0; g < groups; g++) data.set([1, -1], g * perGroup);
    for (let k = 0; k < latents; k++) {
      data[place(k)] = -beforeNorm * (encoder.offset[k] as number);
      data[place(k) + 1] = beforeNorm * (encoder.offset[k] as number);
    }
  } else if (path.endsWith('conv_shortcut.weight')) {
    for (let c = 0; c < Math.min(inputs, shape[0] as number); c++) put(c, c, 1);
  } else if (path === 'encoder.conv_out.weight') {
    // The ±1 alone give a variance of 2/perGroup.
    const back = Math.sqrt(2 / perGroup) / beforeNorm;
    for (let k = 0; k < latents; k++) {
      put(k, place(k), back);
      put(k, place(k) + 1, -back);
    }
  } else if (path === 'encoder.conv_out.bias') data.fill(posteriorLogvar, latents);
  else if (path === 'quant_conv.weight') for (let c = 0; c < 2 * latents; c++) put(c, c, 1);
  return f32(shape, data);
}
