import type { Guidance } from '../../../src-shared/domain/guidance.ts';

/** What is asked of a LoRA that shall draw with plain guidance what its run draws with the base model's help. */
export interface DistillRequest {
  /** The guidance that other tools will draw with: `cfg` in most of them. */
  readonly scale: number;
  /** Of the LoRA; about one for each two pictures of the recording when left out. */
  readonly steps?: number | undefined;
  /** What is distilled; what the run's model draws a subject with when left out. */
  readonly taught?: Partial<Guidance> | undefined;
  /** MobileNetV2's weights: what measures how much the subject is like its photos. */
  readonly mobileNet?: string | undefined;
}

/** Where most tools' slider stands: diffusers' default. */
export const usualScale = 7.5;

/** Prompts that are drawn for the comparison, in three ways each. */
export const comparedPrompts = 6;
