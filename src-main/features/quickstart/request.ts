import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';

/** What a person said about a quickstart. Paths are absolute. */
export interface QuickstartRequest {
  /** A folder of photos, and what they show. */
  readonly photos: string;
  readonly classNoun: string;
  /** The folder for everything that is made; one that an earlier quickstart began is continued. */
  readonly out: string;
  readonly model: string;
  /** The model's own, or the default, when left out. */
  readonly steps?: number;
  readonly provider: ProviderChoice;
}

/** All scenes of all quickstarts start from the same noise. */
export const pictureSeed = 1;
