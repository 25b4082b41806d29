import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';

/** Shapes with published sizes; the weights are random. */
export const benchShapes = ['sd1', 'sd2', 'bk-sdm-base', 'bk-sdm-small', 'bk-sdm-tiny'] as const;
export type BenchShape = (typeof benchShapes)[number];

export const benchParts = ['forward', 'lora', 'full', 'distill'] as const;
export type BenchPart = (typeof benchParts)[number];

/** What to measure: a shape with random weights, or the model in a folder. */
export interface BenchRequest {
  readonly source: { readonly shape: BenchShape } | { readonly model: string };
  readonly part: BenchPart;
  /** The teacher of a distillation; when left out, the shape of Stable Diffusion 1 or 2, whichever fits. */
  readonly teacher?: string;
  /** Side of the square latents. */
  readonly latents: number;
  readonly batch: number;
  readonly repeat: number;
  /** ONNX Runtime's own choice when left out. */
  readonly threads?: number;
  readonly provider: ProviderChoice;
}

export const benchDefaults = {
  source: { shape: 'bk-sdm-tiny' },
  part: 'forward',
  latents: 64,
  batch: 2,
  repeat: 3,
  provider: 'cpu',
} as const satisfies Partial<BenchRequest>;
