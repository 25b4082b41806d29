import type { PromptList } from '../../../src-shared/domain/score.ts';
import type { SubjectKind } from '../../../src-shared/domain/runScore.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';
import type { SchedulerName } from '../../engine/schedulers/config.ts';

/** What a person said about scoring a run. Paths are absolute. */
export interface ScoreRequest {
  readonly run: string;
  /** Steps; all checkpoints when left out. */
  readonly checkpoints?: readonly number[];
  /** Photos to compare with; those of the run when left out. */
  readonly photos?: string;
  readonly list: PromptList;
  /** Prompts of one's own, added to those of the list; `{}` stands for the subject. */
  readonly prompts: readonly string[];
  /** Derived from the class noun when left out. */
  readonly kind?: SubjectKind;
  /** Pictures a prompt. */
  readonly seeds: number;
  readonly steps: number;
  /** The model's own when left out. */
  readonly guidance?: number;
  readonly scheduler: SchedulerName;
  /** Folders of the user's own CLIP and DINO. */
  readonly clip?: string;
  readonly dino?: string;
  /** What comes with Likeness: MobileNetV2's file, and the shipped model's folder, which may have a scorer in it. */
  readonly mobileNet: string;
  readonly likenessScorer: string;
  readonly provider: ProviderChoice;
}

/** Few steps of a fast sampler show differences between checkpoints as well as many steps. */
export const scoreDefaults = {
  list: 'standard',
  prompts: [],
  seeds: 1,
  steps: 12,
  scheduler: 'dpm++2m',
  provider: 'auto',
} as const satisfies Partial<ScoreRequest>;
