import type { ProviderChoice } from '../../engine/runtime/providers.ts';

/** How like the subject pictures are, and their prompts. Paths are absolute. */
export interface SubjectRequest {
  /** The folder of the subject's photos. */
  readonly photos: string;
  /** The folder of the pictures to measure. */
  readonly images: string;
  /** A text file: line i belongs to picture i, in natural order of names. */
  readonly prompts?: string;
  /** transformers folder of a CLIP model. */
  readonly clip?: string;
  /** transformers folder of a DINO or DINOv2 model. */
  readonly dino?: string;
  readonly provider: ProviderChoice;
}
