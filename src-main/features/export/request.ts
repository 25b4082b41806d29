import type { exportFormats } from '../../../src-shared/domain/exported.ts';

export type ExportFormat = (typeof exportFormats)[number];

/** A model, and LoRA files to be put into its weights. */
export interface Mix {
  readonly model: string;
  readonly loras: readonly { readonly path: string; readonly weight: number }[];
}

/** What a person said about an export. Paths are absolute. */
export interface ExportRequest {
  /** The run's folder, or a model with what is mixed into it. */
  readonly run: string | Mix;
  readonly format: ExportFormat;
  readonly out: string;
  /** The step of a checkpoint; the last one when left out. */
  readonly checkpoint?: number;
  /** The type of the run's base model when left out. */
  readonly dtype?: 'f32' | 'f16';
  /** The version of transformers whose names the text encoder's part of a PEFT folder gets; published folders have those of 4. */
  readonly transformers: 4 | 5;
}
