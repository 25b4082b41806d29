import type { AskedFinetune } from '../../../src-shared/domain/finetuneSettings.ts';
import type { TeamSettings } from '../../engine/training/team/gather.ts';

/** What a person said about a finetune. Paths are absolute. */
export interface FinetuneRequest {
  /** The run's folder. */
  readonly out: string;
  /** Resume the run in `out` with its own settings; `settings` may change its length, and where things are. */
  readonly resume: boolean;
  /** The model of a new run, where `settings` name none. */
  readonly fallbackModel?: string;
  /** Others that compute; this process alone when left out. */
  readonly team?: TeamSettings | undefined;
  readonly settings: AskedFinetune;
}
