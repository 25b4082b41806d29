import * as z from 'zod';
import { exportFormats } from './exported.ts';
import { guidanceSchema } from './guidance.ts';

/** That the guidance of a run was distilled into its LoRA, and what came of it. */
const guidanceReceiptSchema = z.object({
  /** The plain guidance that the LoRA was made for. */
  scale: z.number(),
  /** What was distilled. */
  guided: guidanceSchema,
  prompts: z.array(z.string()),
  /** Mean likeness to the photos, 0…1: as the run draws, with plain guidance before and after; null where it was not measured. */
  likeness: z.object({ run: z.number(), before: z.number(), after: z.number() }).nullable(),
});
export type GuidanceReceipt = z.infer<typeof guidanceReceiptSchema>;

/** What lies beside an export as NAME.receipt.json: how the written file was tried, and what other tools will find in it. */
export const receiptSchema = z.object({
  export: z.string(),
  format: z.enum(exportFormats),
  step: z.int(),
  /** Who opened the written file, and what came of it. */
  opened: z.array(
    z.object({
      by: z.string(),
      compared: z.string(),
      prompt: z.string(),
      tensors: z.int(),
      largestDifference: z.number(),
    }),
  ),
  /** How many of its tensors have the names that each tool looks for. */
  looked_for: z.array(z.object({ tools: z.string(), pattern: z.string(), found: z.int(), of: z.int() })),
  guidance: guidanceReceiptSchema.optional(),
  /** What is still to do before other tools can open it. */
  next: z.string().optional(),
  note: z.string(),
});
export type Receipt = z.infer<typeof receiptSchema>;

/** Where the receipt of the export at `out` lies: its facts, or the pictures before and after. */
export function receiptPlace(out: string, ending: 'json' | 'png'): string {
  return `${out.replace(/\.safetensors$/, '')}.receipt.${ending}`;
}
