import type { UNetConfig } from './config.ts';
import { input } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';

const f = Math.fround;

/**
 * Sines and cosines of a guidance scale, `width` of them: the input of a model that guidance was distilled into
 * (Meng et al. 2023). In single precision, step by step, as diffusers' `get_guidance_scale_embedding` of `guidance` − 1.
 */
export function guidanceEmbedding(guidance: number, width: number): Float32Array {
  const half = Math.floor(width / 2);
  const scaled = f(f(guidance - 1) * 1000);
  const exponent = f(f(Math.log(10000)) / (half - 1));
  const values = new Float32Array(width);
  for (let i = 0; i < half; i++) {
    const angle = f(scaled * f(Math.exp(f(i * -exponent))));
    values[i] = Math.sin(angle);
    values[half + i] = Math.cos(angle);
  }
  return values;
}

/** The U-Net's input for it, where it takes one: spread into its inputs. */
export function guidanceInput(
  { time_cond_proj_dim: width }: UNetConfig,
  batch: number,
  name = 'guidance',
): { guidance?: Value } {
  return width === null ? {} : { guidance: input(name, [batch, width]) };
}
