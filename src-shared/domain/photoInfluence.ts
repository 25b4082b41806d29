import * as z from 'zod';

const estimateSchema = z.object({ value: z.number(), low: z.number(), high: z.number() });

/** What is said of a photo, the gravest first. */
export const photoVerdicts = ['hurts', 'odd', 'background', 'helps', 'little'] as const;

export const photoInfluenceSchema = z.object({
  /** Its name in the run's folder of photos. */
  name: z.string(),
  /** The subject that it shows, as prompts name it: "sks dog". */
  subject: z.string(),
  verdict: z.enum(photoVerdicts),
  /** In plain words, with what to do. */
  message: z.string(),
  /**
   * How much better the subject of the other photos is learnt without this photo than without another one, as a share of what is learnt of it
   * with all; less than 0 is worse.
   */
  betterWithout: estimateSchema,
  /** Of what is learnt of this photo's subject, the part that the other photos alone teach; null where nothing is learnt of it. */
  fromOthers: estimateSchema.nullable(),
  /** Of what only this photo teaches, the part that is around the subject, 0…1; null where no subject stands out, or it teaches nothing alone. */
  background: estimateSchema.nullable(),
  /** Mean squared errors on the photo's subject, on noise that nothing is trained with. */
  errors: z.object({ base: z.number(), all: z.number(), without: z.number() }),
});
export type PhotoInfluence = z.infer<typeof photoInfluenceSchema>;

/** Which photos of a run help and which hurt, by short runs that each leave one out. */
export const influenceReportSchema = z.object({
  /** Of each short run. */
  steps: z.int(),
  /** Noises that each photo was looked at with. */
  noises: z.int(),
  /** In the order of the run's photos. */
  photos: z.array(photoInfluenceSchema),
});
export type InfluenceReport = z.infer<typeof influenceReportSchema>;

/** What such a measurement takes. */
export const influenceCostSchema = z.object({
  /** Short runs: one for each photo, and one with all. */
  runs: z.int(),
  steps: z.int(),
  /** By the run's own steps; null where none were logged. */
  seconds: z.number().nullable(),
});
export type InfluenceCost = z.infer<typeof influenceCostSchema>;
