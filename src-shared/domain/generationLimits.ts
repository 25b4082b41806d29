/**
 * What may be asked of a picture. The command line and the studio's contract both read their ranges here, so that what one door
 * makes, the other can make again. Both ends count.
 */
export const generationLimits = {
  /** Pixels of width and height. */
  side: { min: 8, max: 4096, multipleOf: 8 },
  steps: { min: 1, max: 1000 },
  /** Also of the base model. */
  guidance: { min: 0, max: 1000 },
  /** Share of the steps. */
  guidanceStop: { min: 0, max: 1 },
  seed: { min: 0, max: Number.MAX_SAFE_INTEGER },
  /** Pictures per prompt. */
  count: { min: 1, max: 100_000 },
  /** Of a LoRA. */
  weight: { min: -100, max: 100 },
  /** Pictures to choose one from. */
  bestOf: { min: 2, max: 1000 },
  /** Of the text encoder's last layers, those that are left out. */
  clipSkip: { min: 0, max: 100 },
  /** For drawing over a picture: how much is redrawn, and how many pixels around what is marked. */
  strength: { min: 0, max: 1 },
  maskPadding: { min: 0, max: 10_000 },
  /** Likeness to the subject. */
  untilLike: { min: 0, max: 1 },
} as const;

/** Pictures that one job of the studio makes: its sheet shows them all. */
export const mostPicturesAtOnce = 1000;
