import type { AskedFinetune } from '../../../src-shared/domain/finetuneSettings.ts';
import type { TeamSettings } from '../../engine/training/team/gather.ts';

/** What a person said about a finetune. Paths are absolute. */
export interface FinetuneRequest {
  /** The run's folder. */
  readonly out: string;
  /** Go on with the run in `out`, by its own settings; `settings` may change its length, and where things are. */
  readonly resume: boolean;
  /** A new run's, where `settings` name none. */
  readonly fallbackModel?: string;
  /** Others that compute; this process alone when left out. */
  readonly team?: TeamSettings | undefined;
  readonly settings: AskedFinetune;
}
