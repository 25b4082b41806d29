import * as z from 'zod';

/** What removing something from a U-Net saves, and how much it changes the prediction before any training. */
const sensitivitySchema = z.object({
  /** A block ("down_blocks.1.1", "mid_block"), or a published student ("bk-small"). */
  name: z.string(),
  saves: z.object({
    parameters: z.number(),
    /** Of one U-Net call: convolutions and linear layers, and attention's own products. */
    macs: z.object({ layers: z.number(), attention: z.number() }),
  }),
  /** Relative mean squared change of the noise prediction. */
  change: z.number(),
});
export type Sensitivity = z.infer<typeof sensitivitySchema>;

/** What each block contributes, and the published students the model can become. */
export const adviceSchema = z.object({
  blocks: z.array(sensitivitySchema),
  students: z.array(sensitivitySchema),
  probes: z.int(),
});
export type BlockAdvice = z.infer<typeof adviceSchema>;
