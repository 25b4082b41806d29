import type { Input } from '../src-shared/contract/index.ts';

type PictureRequest = Input<'generation.start'>;

/** What `generation.start` is asked: one picture of the base model in two steps, with what is asked differently. */
export const pictures = (asked: Partial<PictureRequest> = {}): PictureRequest => ({
  prompts: ['a square'],
  negative: '',
  modelId: null,
  unetId: null,
  mixes: [[]],
  seed: 1,
  count: 1,
  steps: 2,
  guidance: 3,
  baseGuidance: null,
  guidanceStop: null,
  sampler: null,
  size: null,
  ...asked,
});
