/** A figure and its 95 % interval over other draws of prompts and seeds. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Chooses the standard prompts. */
export const subjectKinds = ['object', 'living'] as const;
export type SubjectKind = (typeof subjectKinds)[number];

/** "subject (MobileNetV2)" → the figure; null where its features can't tell. */
export type Figures = Readonly<Record<string, Estimate | null>>;

/** A picture that copies a photo. */
export interface Copy {
  readonly picture: string;
  readonly photo: string;
  /** Correlation of their pixels, allowing for crops and mirroring. */
  readonly resemblance: number;
}

/** How far a checkpoint has come, each 0 (the base model, or nothing of it) to about 1 (as good as possible). */
export interface Reach {
  /** Likeness: from the base model's pictures to the photos. */
  readonly fidelity: number;
  /** How well prompts are still followed; variety where no scorer reads text. */
  readonly editability: number;
  /** Harmonic mean of both. */
  readonly balance: number;
}

export interface ScoredCheckpoint {
  readonly step: number;
  readonly path: string;
  readonly figures: Figures;
  readonly reach: Reach;
  readonly memorization: {
    /** Share of the pictures that are copies. */
    readonly share: number;
    /** Resemblance from which a picture counts as a copy. */
    readonly threshold: number;
    readonly copies: readonly Copy[];
  };
}

/** How far one of a run's subjects is mixed up with the others, by the scorer of likeness. */
export interface Mixing {
  /** Likeness to its own photos, and to those of each other subject, by its name in prompts. */
  readonly own: Estimate;
  readonly others: readonly { readonly name: string; readonly likeness: Estimate }[];
  /** Share of the pictures that are more like another's photos than like its own. */
  readonly mixed: number;
}

/** A subject's part of the score of a run that learnt several. */
export interface SubjectScore {
  /** As prompts say it: "sks dog". */
  readonly name: string;
  readonly kind: SubjectKind;
  readonly prompts: readonly string[];
  /** Before training; and of the photos themselves, as far apart as pictures can be. */
  readonly base: { readonly figures: Figures; readonly mixing: Mixing };
  readonly photos: { readonly figures: Figures; readonly mixing: Mixing };
  readonly checkpoints: readonly (Omit<ScoredCheckpoint, 'path'> & { readonly mixing: Mixing })[];
}

/** The result of scoring a run. For a run with several subjects, figures are means over them. */
export interface RunScore {
  readonly run: string;
  readonly kind: SubjectKind;
  readonly prompts: readonly string[];
  readonly seeds: number;
  /** Why there is no figure for following prompts, where there is none. */
  readonly withoutPrompt: string | null;
  /** What `Reach` was measured with: names among the figures. */
  readonly fidelityBy: string;
  readonly editabilityBy: string;
  /** The base model's figures, and the photos' among themselves. */
  readonly base: Figures;
  readonly photos: Figures;
  readonly checkpoints: readonly ScoredCheckpoint[];
  /** Step of the checkpoint to keep. */
  readonly pick: number;
  /** Step where the curve of fidelity against editability bends most. */
  readonly knee: number;
  readonly why: string;
  /** Where there are several: each subject by itself. */
  readonly subjects?: readonly SubjectScore[];
}
