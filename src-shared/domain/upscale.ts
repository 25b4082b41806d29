import * as z from 'zod';
import { generationLimits } from './generationLimits.ts';

/** How many times as wide and high the upscalers that come with Likeness make a picture. */
export const upscaleFactors = [2, 4] as const;
export type UpscaleFactor = (typeof upscaleFactors)[number];
export const upscaleFactorSchema = z.union(upscaleFactors.map((factor) => z.literal(factor)));

/** How pictures that are drawn are enlarged. */
export const upscaleSchema = z.object({
  factor: upscaleFactorSchema,
  /** The enlarged picture is redrawn with this share of the steps (hi-res fix); left out, it is only enlarged. */
  strength: z.number().min(generationLimits.strength.min).max(generationLimits.strength.max).optional(),
});
export type Upscale = z.infer<typeof upscaleSchema>;
