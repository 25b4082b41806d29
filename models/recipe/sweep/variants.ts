import type { PartialSettings } from '../../../src-main/features/training/request.ts';
import { tunedFinetune } from '../modelConfig.ts';

export interface Variant {
  readonly settings: PartialSettings;
  /** Steps to look at; the last is the run's length. */
  readonly steps: readonly number[];
}

const { lora } = tunedFinetune;
/** As the rest is compared with. Batches of four in all, so that a step costs the same. */
const base: PartialSettings = { ...tunedFinetune, learningRate: 2e-3, batch: 2 };
const steps = [240];

/** What is compared. A name stays with its settings, and holds no comma: results are found by it, and `--variants` lists them. */
export const variants: Readonly<Record<string, Variant>> = {
  shipped: { settings: tunedFinetune, steps: [80, 160, 240] },
  '400 steps': { settings: tunedFinetune, steps: [100, 200, 400] },
  '400 steps without places': {
    settings: { ...tunedFinetune, photoScenes: {} },
    steps: [100, 200, 300, 400],
  },
  'first guess': { settings: { ...base, learningRate: 1e-3 }, steps: [160] },
  lora: { settings: base, steps },
  'lora without class pictures': { settings: { ...base, batch: 4, prior: false }, steps },
  'lora with the text encoder fixed': { settings: { ...base, trainTextEncoder: false }, steps },
  'lora of rank 4': { settings: { ...base, lora: { ...lora, rank: 4, alpha: 4 } }, steps },
  'lora at rate 1e-3': { settings: { ...base, learningRate: 1e-3 }, steps },
  'lora at rate 4e-3': { settings: { ...base, learningRate: 4e-3 }, steps },
  'lora over 480 steps': { settings: base, steps: [120, 240, 360, 480] },
  full: { settings: { ...base, method: 'full', learningRate: 5e-4, trainTextEncoder: false }, steps },
  'full without class pictures': {
    settings: {
      ...base,
      method: 'full',
      learningRate: 5e-4,
      trainTextEncoder: false,
      batch: 4,
      prior: false,
    },
    steps,
  },
};
