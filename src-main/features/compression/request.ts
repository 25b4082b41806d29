import type { StudentKind } from '../../engine/checkpoints/blockRemoval.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';

/** What a person said about a compression. Paths are absolute. */
export interface CompressRequest {
  readonly model: string;
  readonly out: string;
  /** A published kind, or a list of blocks, or neither where only advice is asked for. */
  readonly to?: StudentKind;
  readonly remove?: readonly string[];
  /** Measure what each block is worth. */
  readonly advise: boolean;
  /** Prompts of that measurement, and noise levels for each. */
  readonly prompts: readonly string[];
  readonly levels: number;
  readonly seed: number;
  readonly provider: ProviderChoice;
}

export const compressDefaults = {
  advise: false,
  prompts: [
    'a photo of a dog on the grass',
    'a painting of a house by the sea',
    'a bowl of fruit on a wooden table',
    'a street in a city at night',
  ],
  levels: 4,
  seed: 1234,
  provider: 'auto',
} as const satisfies Partial<CompressRequest>;
