import type { Model } from '../checkpoints/model.ts';
import { seesMasks } from '../models/config.ts';
import { firstStep } from '../schedulers/index.ts';
import type { Sampler } from '../schedulers/sampler.ts';
import { combine } from '../schedulers/vector.ts';
import { dims4, type HostTensor } from '../tensor/tensor.ts';
import { joinChannels, stack } from './batches.ts';
import type { Networks } from './networks.ts';
import { fromPicture, isWhite, type Picture } from '../pictures/pixels.ts';

type Floats = HostTensor<'f32'>;

/** What pictures are drawn over. */
export interface Original {
  /** Has the size that is drawn. */
  readonly picture: Picture;
  /** Has the same size; white is redrawn. Without a mask, all of the picture is. */
  readonly mask?: Picture;
  /** How much is redrawn: the share of the steps that is taken, (0, 1]. */
  readonly strength: number;
}

/** Mean and deviation of latents [1,c,h,w], scaled. */
interface Posterior {
  readonly mean: Floats;
  readonly deviation: Float32Array;
}

/** What one picture starts from: latents of the original, noise, and what a model that sees masks is shown. */
interface Drawn {
  readonly image?: Floats;
  readonly noise: Floats;
  readonly masked?: Floats;
}

/**
 * An original in latents. Draws as diffusers' StableDiffusionImg2ImgPipeline does without a mask, and as its
 * StableDiffusionInpaintPipeline does with one, random numbers in their order.
 */
export class EncodedOriginal {
  private constructor(
    private readonly strength: number,
    /** None where nothing of the original is left. */
    private readonly image: Posterior | undefined,
    /** [1,1,h,w] of 0 and 1; none where all is redrawn. */
    private readonly mask: Floats | undefined,
    /** The picture without the part to redraw, for a U-Net that sees it. */
    private readonly masked: Posterior | undefined,
  ) {}

  /** Encodes the original. Errors: those of the VAE's session. */
  static async of(
    networks: Networks,
    { unet, vae }: Model,
    { picture, mask, strength }: Original,
  ): Promise<EncodedOriginal> {
    const inpaints = seesMasks(unet.config);
    const floats = fromPicture(picture);
    const encode = async (image: Floats): Promise<Posterior> => {
      const { mean, logvar } = await networks.encode(image);
      const scale = vae.config.scaling_factor;
      return {
        mean: { ...mean, data: mean.data.map((value) => value * scale) },
        deviation: logvar.data.map((value) => Math.exp(value / 2) * scale),
      };
    };
    const image = inpaints && strength === 1 ? undefined : await encode(floats);
    const covered = mask ? coveredBy(floats, mask) : { ...floats, data: floats.data.map(() => 0) };
    const masked = inpaints ? await encode(covered) : undefined;
    await networks.release('encoder');
    const encoded = image ?? masked;
    const inLatents = mask && encoded && shrunk(mask, dims4(encoded.mean.shape));
    return new EncodedOriginal(strength, image, inLatents, masked);
  }

  /** One picture's part of it. `randn` gives its next random numbers [1,c,h,w]; `noise` those that were given. */
  draw(randn: () => Floats, noise?: Floats): Drawn {
    const sample = ({ mean, deviation }: Posterior): Floats => {
      const { data } = randn();
      return {
        ...mean,
        data: mean.data.map((value, i) => value + (deviation[i] as number) * (data[i] as number)),
      };
    };
    const image = this.image && sample(this.image);
    const drawn = noise ?? randn();
    if (this.masked) return { ...(image && { image }), noise: drawn, masked: sample(this.masked) };
    // diffusers samples the masked picture's latents too where the U-Net does not see them.
    if (this.mask) randn();
    return { ...(image && { image }), noise: drawn };
  }

  /** What a batch begins with, at which step, and how the original is kept where the mask is black. Errors: `strength.tooLow`. */
  begin(sampler: Sampler, steps: number, drawn: readonly Drawn[]): Beginning {
    const noise = stack(drawn.map(({ noise }) => noise));
    const images = drawn.flatMap(({ image }) => image ?? []);
    const image = images.length ? stack(images) : undefined;
    const noisy = (i: number): Float32Array => {
      const [ofPicture, ofNoise] = sampler.noiseLevel(i);
      return image ? combine([ofPicture, image.data], [ofNoise, noise.data]) : noise.data;
    };
    const first = firstStep(sampler, steps, this.strength);
    const pure = this.strength === 1 && (this.mask !== undefined || !image);
    const data = pure ? combine([sampler.initNoiseSigma, noise.data]) : noisy(first);
    const { mask } = this;
    const keep = mask &&
      image &&
      !this.masked && {
        afterStep: (x: Float32Array, i: number) =>
          withinMask(mask, x, i + 1 < sampler.timesteps.length ? noisy(i + 1) : image.data, noise.shape),
      };
    const masked = drawn.flatMap(({ masked }) => masked ?? []);
    return {
      first,
      latents: { ...noise, data },
      ...(masked.length && { beside: this.besideLatents(stack(masked)) }),
      ...keep,
    };
  }

  private besideLatents(masked: Floats): Floats {
    const [batch = 1, , height = 1, width = 1] = masked.shape;
    const all: Floats = {
      dtype: 'f32',
      shape: [1, 1, height, width],
      data: new Float32Array(height * width).fill(1),
    };
    return joinChannels(stack(Array.from({ length: batch }, () => this.mask ?? all)), masked);
  }
}

export interface Beginning {
  /** The step that is taken first. */
  readonly first: number;
  readonly latents: Floats;
  /** Channels that the U-Net sees beside the latents: mask and masked picture [b,1+c,h,w]. */
  readonly beside?: Floats;
  /** Latents after step i, with the original's where the mask is black. */
  readonly afterStep?: (x: Float32Array, i: number) => Float32Array;
}

/** The image, grey where the mask is white. */
function coveredBy(image: Floats, mask: Picture): Floats {
  const pixels = mask.width * mask.height;
  return { ...image, data: image.data.map((value, i) => (isWhite(mask, i % pixels) ? 0 : value)) };
}

/** The mask at the size of latents, as torch's nearest takes it. */
function shrunk(mask: Picture, [, , height, width]: readonly [number, number, number, number]): Floats {
  const data = Float32Array.from({ length: height * width }, (_, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    const pixel = Math.floor((y * mask.height) / height) * mask.width + Math.floor((x * mask.width) / width);
    return isWhite(mask, pixel) ? 1 : 0;
  });
  return { dtype: 'f32', shape: [1, 1, height, width], data };
}

function withinMask(
  mask: Floats,
  x: Float32Array,
  kept: Float32Array,
  shape: readonly number[],
): Float32Array {
  const area = (shape[2] as number) * (shape[3] as number);
  return x.map((value, i) => (mask.data[i % area] === 1 ? value : (kept[i] as number)));
}
