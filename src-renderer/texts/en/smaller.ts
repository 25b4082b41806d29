import { plural } from '../../../src-shared/plural.ts';

export const smaller = {
  title: 'Make a model smaller',
  about:
    'A smaller U-Net draws and trains faster and needs less memory. Whole blocks are removed, as in BK-SDM, and the rest is kept. Distillation then restores quality.',
  of: 'Base model',
  weigh: 'Measure its blocks',
  weighAgain: 'Measure again',
  weighAbout:
    'Leaves out one block at a time and measures how much the prediction changes. Blocks that hardly matter can go. With a large model, this takes a few minutes.',
  table: (probes: number) => `What each block contributes, measured on ${plural(probes, 'probe', 'probes')}`,
  block: 'Block left out',
  change: 'Change of the prediction (logarithmic bars)',
  parameters: 'Parameters',
  macs: 'MACs per call',
  percent: (share: number) => `${Number((share * 100).toPrecision(2)).toLocaleString('en')}%`,
  kinds: {
    'bk-base': 'Base',
    'bk-small': 'Small',
    'bk-tiny': 'Tiny',
    'koala-1b': 'KOALA-1B',
    'koala-700m': 'KOALA-700M',
  },
  makeKind: (kind: string) => `Make ${kind}`,
  makeWithout: (count: number) =>
    count === 0 ? 'Remove the ticked blocks' : `Remove ${plural(count, 'block', 'blocks')}`,
  noKinds: 'Base, Small and Tiny need a model with two layers in each block; this one has a different shape.',
  distill: 'Distil',
  distillSummary: 'train the smaller model to match the larger one, or a model to draw in few steps',
  distillAbout:
    'Needs a folder of pictures with captions: a metadata.csv, or a .txt file beside each picture. You can pause it. The result joins your base models.',
  teacher: 'Larger model',
  student: 'What learns from it',
  fewSteps: 'The model itself, to draw in few steps',
  fewStepsAbout: 'The new model draws with the LCM sampler in 4 to 8 steps, without guidance (LCM-LoRA).',
  data: 'Captioned pictures',
  distillStart: 'Start',
};
