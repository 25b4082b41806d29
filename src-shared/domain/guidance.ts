import * as z from 'zod';

/** How strongly a picture follows its prompt. */
export const guidanceSchema = z.object({
  /** diffusers' `guidance_scale`. */
  guidance: z.number(),
  /** Weight of what the base model makes of the prompt; 0: plain classifier-free guidance. */
  baseGuidance: z.number(),
  /** Share of the steps after which there is none of either. */
  guidanceStop: z.number(),
});

export type Guidance = Readonly<z.infer<typeof guidanceSchema>>;

/** The guidance a picture was drawn with; older recipes have only plain guidance. */
export function guidanceOf({
  guidance,
  baseGuidance = 0,
  guidanceStop = 1,
}: Pick<Guidance, 'guidance'> & { [key in keyof Guidance]?: Guidance[key] | undefined }): Guidance {
  return { guidance, baseGuidance, guidanceStop };
}
