import { join } from 'node:path';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';

/** What a person said about looking for photos that hurt. Paths are absolute. */
export interface InfluenceRequest {
  readonly run: string;
  /** Of each short run; `influenceDefaults.steps`, or the run's own where that has fewer, when left out. */
  readonly steps?: number;
  /** Noises that each photo is looked at with. */
  readonly noises: number;
  /** The run's when left out. */
  readonly provider?: ProviderChoice;
}

export const influenceDefaults = { steps: 60, noises: 16 } as const;
/** Leaving one of two out leaves nothing to compare. */
export const fewestPhotos = 3;

/** Where a run's report is, seen from its folder. */
export const influenceFile = join('influence', 'influence.json');
