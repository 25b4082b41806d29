import type { GenerateInput, LoraChoice } from '../../src-shared/contract/generation.ts';
import type { Original } from '../../src-shared/contract/originals.ts';
import type { PromptRules } from '../../src-shared/domain/promptRules.ts';
import type { Upscale } from '../../src-shared/domain/upscale.ts';
import type { PlaceName } from './places.ts';

/** The picture that the form draws over. */
export interface DraftOver extends Original {
  mask: string | null;
  strength: number;
  /** Draws only the marked part, enlarged. */
  closely: boolean;
}

/** The form. In a grid, each line of the prompt is a row, and the first LoRA takes every step and weight. */
export interface Draft {
  prompt: string;
  negative: string;
  modelId: number | null;
  /** null: the model's own. */
  unetId: number | null;
  loras: LoraChoice[];
  seed: number;
  seedLocked: boolean;
  count: number;
  steps: number;
  /** null: the model's own. */
  guidance: number | null;
  baseGuidance: number | null;
  guidanceStop: number | null;
  sampler: GenerateInput['sampler'];
  size: GenerateInput['size'];
  over: DraftOver | null;
  /** null: as they are drawn. */
  upscale: Upscale | null;
  /** Several subjects are kept apart, each in its place, from its own prompt. */
  apart: boolean;
  places: PlaceName[];
  placePrompts: string[];
  /** LoRA files and embeddings. */
  files: { id: number; weight: number }[];
  /** Use what fits of them. */
  partial: boolean;
  /** Which of many tries are kept; `first`: nothing is chosen. */
  keep: 'first' | 'best' | 'alike';
  bestOf: number;
  untilLike: number;
  promptRules: PromptRules;
  clipSkip: number;
  grid: boolean;
  gridSteps: number[];
  gridWeights: number[];
}

const draftKey = 'likeness.draft';

const firstDraft: Draft = {
  prompt: '',
  negative: '',
  modelId: null,
  unetId: null,
  loras: [],
  seed: 1,
  seedLocked: false,
  count: 4,
  steps: 25,
  guidance: null,
  baseGuidance: null,
  guidanceStop: null,
  sampler: null,
  size: null,
  over: null,
  upscale: null,
  apart: false,
  places: [],
  placePrompts: [],
  files: [],
  partial: false,
  keep: 'first',
  bestOf: 4,
  untilLike: 0.6,
  promptRules: 'a1111',
  clipSkip: 0,
  grid: false,
  gridSteps: [],
  gridWeights: [],
};

/** The form of the last session, or an empty one. */
export function storedDraft(): Draft {
  try {
    return { ...firstDraft, ...(JSON.parse(localStorage.getItem(draftKey) ?? '{}') as Partial<Draft>) };
  } catch {
    return { ...firstDraft };
  }
}

export function keepDraft(draft: Draft): void {
  localStorage.setItem(draftKey, JSON.stringify(draft));
}
