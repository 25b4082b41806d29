import type { AskedDistill } from '../../../src-shared/domain/distillSettings.ts';
import type { TeamSettings } from '../../engine/training/team/gather.ts';

/** What a person said about a distillation. Paths are absolute. */
export interface DistillRequest {
  /** The run's folder. */
  readonly out: string;
  /** Resume the run in `out` with its own settings; `settings` may change some of them. */
  readonly resume: boolean;
  /** Others that compute; this process alone when left out. */
  readonly team?: TeamSettings | undefined;
  readonly settings: AskedDistill;
}
