/** One run of a sampler over its timesteps. Latents are flat f32 arrays of any shape, a batch included. */
export interface Sampler {
  /** What the U-Net is given at each step, in order; some samplers visit one twice, some use fractions. */
  readonly timesteps: readonly number[];
  /** The starting noise is multiplied by this. */
  readonly initNoiseSigma: number;
  /** How often the U-Net is called in a step; 1 when left out. diffusers' `order`. */
  readonly callsPerStep?: number;
  /** What step i takes as latents, as shares of a picture's latents and of noise: diffusers' `add_noise`. */
  noiseLevel(i: number): readonly [ofPicture: number, ofNoise: number];
  /** The U-Net's input for step i. */
  scaleInput(x: Float32Array, i: number): Float32Array;
  /**
   * Latents after step i. Steps are taken in order, each once; a sampler remembers earlier outputs. The first may be any: then a
   * picture is drawn over from the noise level where that step starts.
   * @param output the U-Net's output, after guidance
   * @param noise standard normal values of x's shape, asked for once in each step that needs them
   */
  step(output: Float32Array, i: number, x: Float32Array, noise: () => Float32Array): Float32Array;
}

/** A sampler whose latents keep the variance 1, but for its step. */
export function ofVarianceOne(
  timesteps: readonly number[],
  noiseLevel: Sampler['noiseLevel'],
): Omit<Sampler, 'step'> {
  return { timesteps, initNoiseSigma: 1, noiseLevel, scaleInput: (x) => x };
}
