/** What a tensor of a LoRA file is: the down (A) or up (B) matrix of a module, or its alpha. */
export interface LoraName {
  readonly part: 'unet' | 'text_encoder';
  /** Under diffusers' (published) name. */
  readonly module: string;
  readonly kind: 'A' | 'B' | 'alpha';
}

/** A LoRA for a model with two text encoders, or of another method than LoRA; the text says what. */
export class ForeignLora {
  constructor(readonly what: string) {}
}

export const isUNetModule = (module: string) =>
  /^(down_blocks|mid_block|up_blocks|time_embedding|conv_in|conv_out)\b/.test(module);
