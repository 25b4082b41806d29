import type { AddedInputs } from '../../models/unet.ts';
import type { HostTensor } from '../../tensor/tensor.ts';

/** Latents to be noised, with the noise and the timestep of each. */
export interface NoiseBatch {
  /** [b,c,h,w], scaled. */
  readonly latents: HostTensor<'f32'>;
  /** [b,c,h,w]. */
  readonly noise: HostTensor<'f32'>;
  /** i64 [b]. */
  readonly timesteps: HostTensor<'i64'>;
}

/** A batch of a finetune. */
export interface DiffusionBatch extends NoiseBatch {
  /** i64 [b,77], of two text encoders [b,154]. */
  readonly inputIds: HostTensor<'i64'>;
  /** Of SDXL: where each prompt ends for the second text encoder, i64 [b] (`promptEnds`). */
  readonly promptEnds?: HostTensor<'i64'>;
  /** Of SDXL: its size inputs [b,6] (`sizeInputs`). */
  readonly timeIds?: HostTensor<'f32'>;
  /**
   * Loss weights of the subject's rows, [b,1,h,w] with mean 1 in each row: errors count more where a photo's mask shows the subject.
   */
  readonly lossWeights?: HostTensor<'f32'>;
  /** What a model for inpainting sees beside the latents: a mask and the latents of what it leaves, [b,1+c,h,w]. */
  readonly beside?: HostTensor<'f32'>;
}

/** A batch of a distillation. */
export interface DistillBatch extends NoiseBatch {
  /** What cross-attention looks at: prompts as the text encoders give them [b,t,d]. */
  readonly context: HostTensor<'f32'>;
  /** Of SDXL's family. */
  readonly added?: AddedInputs<HostTensor<'f32'>>;
}

/** A batch of a consistency distillation: its timesteps are the solver's. */
export interface ConsistencyBatch extends DistillBatch {
  /** How strongly the teacher is guided [b]; 0 is not at all. */
  readonly guidance: HostTensor<'f32'>;
}
