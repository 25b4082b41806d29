import type { AskedFinetune } from '../../../src-shared/domain/finetuneSettings.ts';

export interface Variant {
  readonly settings: AskedFinetune;
  /** Steps to look at; the last is the run's length. When left out, the end of a run as long as the model asks for. */
  readonly steps?: readonly number[];
}

/** The attention's and the resnets' main layers. */
const targets = ['to_q', 'to_k', 'to_v', 'to_out.0', 'proj_in', 'proj_out'];
targets.push('ff.net.0.proj', 'ff.net.2', 'conv1', 'conv2');
const rank16: AskedFinetune = { lora: { rank: 16, alpha: 16, targets } };
/** A step costs the same with half of each batch the class's. */
const withClass: AskedFinetune = { batch: 2, prior: { weight: 0.5, classImages: 16 } };
const full: AskedFinetune = {
  method: 'full',
  learningRate: 1e-3,
  trainTextEncoder: false,
};
const steps = [80, 160, 240];

/** What is compared: each changes what the model asks for itself (`likeness.json`). A name stays with its settings, and holds no comma: results are found by it, and `--variants` lists them. */
export const variants: Readonly<Record<string, Variant>> = {
  shipped: { settings: {} },
  'rank 16 with class pictures': { settings: { ...rank16, ...withClass }, steps },
  'rank 16 with class pictures over 400 steps': {
    settings: { ...rank16, ...withClass },
    steps: [100, 200, 400],
  },
  'rank 16 with class pictures over 400 steps without places': {
    settings: { ...rank16, ...withClass, photoScenes: {} },
    steps: [100, 200, 300, 400],
  },
  'rank 16': { settings: rank16, steps: [200] },
  'rank 16 at 6e-3': { settings: { ...rank16, learningRate: 6e-3 }, steps: [120, 240] },
  'at 5e-4': { settings: { learningRate: 5e-4 }, steps },
  'at 1e-3': { settings: { learningRate: 1e-3 }, steps },
  'at 3e-3': { settings: { learningRate: 3e-3 }, steps },
  'at 1.5e-3': { settings: { learningRate: 1.5e-3 }, steps },
  'at 6e-3': { settings: { learningRate: 6e-3 }, steps: [60, 120] },
  'without the text encoder': { settings: { trainTextEncoder: false }, steps },
  full: { settings: full, steps: [200, 400] },
  'full at 3e-4': { settings: { ...full, learningRate: 3e-4 }, steps },
  'full with class pictures': { settings: { ...full, ...withClass }, steps: [200] },
};
