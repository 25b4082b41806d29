import * as z from 'zod';

/** An error for people, as it crosses between processes: `code` is what programs test, `message` the sentence. */
export const problemSchema = z.object({ code: z.string(), message: z.string() });
export type Problem = z.infer<typeof problemSchema>;
