import type { MaskTool } from './maskSteps.ts';

/** A picture that is painted on, upright. */
export interface MaskedPicture {
  readonly url: string;
  readonly width: number;
  readonly height: number;
}

/** What the editor says that depends on what the mask is for. */
export interface MaskWords {
  readonly title: string;
  readonly hints: Readonly<Record<MaskTool, string>>;
  readonly marked: (percent: number) => string;
  readonly remove: string;
  readonly save: string;
}
