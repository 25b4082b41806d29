import type { Model } from './model.ts';

/** What Stability's ModelSpec 1.0 (the `modelspec.…` keys of a file's metadata) calls a model. */
export interface ModelSpec {
  readonly isVersion2: boolean;
  /** `stable-diffusion-v1`, `stable-diffusion-v2-512`, `stable-diffusion-v2-768-v` or `stable-diffusion-xl-v1-base`. */
  readonly architecture: string;
  /** `v` or `epsilon`. */
  readonly prediction: string;
}

/** Version 2 has OpenCLIP for a text encoder, with its plain GELU; SDXL has it as the second one. */
export function modelSpecOf({
  textEncoder,
  textEncoder2,
  scheduler,
}: Pick<Model, 'textEncoder' | 'textEncoder2' | 'scheduler'>): ModelSpec {
  const isVersion2 = !textEncoder2 && textEncoder.config.hidden_act === 'gelu';
  const said = scheduler['prediction_type'];
  const velocity = said === 'v_prediction';
  return {
    isVersion2,
    architecture: textEncoder2
      ? 'stable-diffusion-xl-v1-base'
      : isVersion2
        ? `stable-diffusion-v2-${velocity ? '768-v' : '512'}`
        : 'stable-diffusion-v1',
    prediction: velocity ? 'v' : typeof said === 'string' ? said : 'epsilon',
  };
}
