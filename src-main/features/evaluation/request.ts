import type { InceptionResize } from '../../engine/evaluation/inceptionFeatures.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';

/** What a person asked of a comparison with a subject and with prompts. Paths are absolute. */
export interface SubjectRequest {
  /** The folder of the subject's photos. */
  readonly photos: string;
  /** The folder of the pictures to measure. */
  readonly images: string;
  /** A text file: line i belongs to picture i, in natural order of names. */
  readonly prompts?: string | undefined;
  /** transformers folder of a CLIP model. */
  readonly clip?: string | undefined;
  /** transformers folder of a DINO or DINOv2 model. */
  readonly dino?: string | undefined;
  /** The shipped MobileNetV2. */
  readonly mobileNet?: string | undefined;
  readonly provider: ProviderChoice;
}

/** What a person asked of a set's quality and its distance from another set. Paths are absolute. */
export interface SetRequest {
  /** A folder of pictures, or a file of features. */
  readonly images: string;
  /** The same, or a file of statistics. */
  readonly reference?: string;
  /** A text file: line i belongs to picture i, in natural order of names. */
  readonly prompts?: string;
  /** pytorch-fid's weights of Inception. */
  readonly inception?: string;
  readonly resize: InceptionResize;
  /** transformers folder of a CLIP model. */
  readonly clip?: string;
  /** File for the mean and covariance of the images. */
  readonly saveStats?: string;
  /** The shipped MobileNetV2, used where Inception was not given. */
  readonly mobileNet?: string;
  readonly provider: ProviderChoice;
}
