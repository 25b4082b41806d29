import * as z from 'zod';

/**
 * How prompts are read: `none` as written, as diffusers does; `a1111` with weights, BREAK, LoRAs by name and any length, as
 * AUTOMATIC1111's web UI does.
 */
export const promptRulesSchema = z.enum(['none', 'a1111']);
export type PromptRules = z.infer<typeof promptRulesSchema>;
export const promptRules = promptRulesSchema.options;
