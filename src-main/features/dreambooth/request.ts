import type { AskedFinetune } from '../../../src-shared/domain/finetuneSettings.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';

/** What a person said about measuring a model by DreamBooth's protocol. Paths are absolute. */
export interface DreamboothRequest {
  /** A folder with a folder of photos for each subject. */
  readonly subjects: string;
  readonly out: string;
  /** Of every finetune; photos and class are the subject's. */
  readonly settings: AskedFinetune;
  /** Where the settings name no model. */
  readonly fallbackModel: string;
  /** Pictures a prompt; DreamBooth's own number is 4. */
  readonly count: number;
  /** Denoising steps. */
  readonly drawSteps: number;
  /** transformers folders of CLIP and DINO. */
  readonly clip?: string;
  readonly dino?: string;
  /** MobileNetV2's file, which judges in any case. */
  readonly mobileNet: string;
  readonly provider: ProviderChoice;
}
