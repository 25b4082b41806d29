import * as z from 'zod';

const figure = z.number().nullable();

/** A subject's scores, as its `scores.json` keeps them. */
export const scoresType = z.object({
  subject: z.string(),
  classNoun: z.string(),
  photos: z.number(),
  images: z.number(),
  /** Mean cosines, −1…1; null where the network was not given. */
  dino: figure,
  clipI: figure,
  clipT: figure,
  mobileNet: figure,
  /** What they were made with. */
  asked: z.string(),
});

export type SubjectResult = Readonly<z.output<typeof scoresType>>;
