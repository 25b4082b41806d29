/** One run of a sampler over its timesteps. Latents are flat f32 arrays of any shape, a batch included. */
export interface Sampler {
  /** What the U-Net is given at each step, in order; some samplers visit one twice, some use fractions. */
  readonly timesteps: readonly number[];
  /** The starting noise is multiplied by this. */
  readonly initNoiseSigma: number;
  /** The U-Net's input for step i. */
  scaleInput(x: Float32Array, i: number): Float32Array;
  /**
   * Latents after step i. Steps are taken in order, each once; a sampler remembers earlier outputs.
   * @param output the U-Net's output, after guidance
   * @param noise standard normal values of x's shape, asked for once in each step that needs them
   */
  step(output: Float32Array, i: number, x: Float32Array, noise: () => Float32Array): Float32Array;
}
