import { plural } from '../../../src-shared/plural.ts';

export const scores = {
  about: 'Measures each checkpoint on pictures it makes, so that you can pick the best one.',
  run: 'Run',
  noRunTitle: 'Nothing to measure yet',
  noRunText: 'Scores compare the checkpoints of a run. Train this subject first.',
  toTrain: 'To training',
  emptyTitle: (run: string) => `${run} has not been measured yet`,
  emptyText:
    'Likeness makes a few pictures with each checkpoint and compares them with your photos and with the prompts.',
  start: 'Measure',
  again: 'Measure again',
  measuring: 'Measuring',
  pick: (step: number) => `Checkpoint to keep: step ${step}`,
  take: (step: number) => `Use step ${step} from now on`,
  pictures: 'What each checkpoint draws',
  base: 'Base model, before training',
  keep: 'The one to keep',
  pictureOf: (prompt: string, step: number) =>
    `${prompt}, ${step === 0 ? 'by the base model' : `after ${plural(step, 'step', 'steps')}`}`,
  make: (step: number) => `Make pictures with step ${step}`,
  details: 'Details',
  detailsAbout: 'all figures, with what they mean',
  list: 'Prompts',
  lists: { standard: 'Likeness’ 25', dreambooth: 'DreamBooth’s 25' },
  fidelityCurve: 'Fidelity against editability',
  fidelityLabel: (knee: number) =>
    `Fidelity to your photos against editability, one point a checkpoint; the curve bends most at step ${knee}`,
  fidelity: (by: string) => `fidelity: ${by}; 0% is the base model, 100% your photos`,
  editability: (by: string) => `editability: ${by}, as a share of the base model’s`,
  pickMark: 'kept',
  kneeMark: 'knee',
  kneeAbout:
    'Higher is more like your photos, further right follows prompts better. At the knee (thick ring) the curve bends most: beyond it, more likeness costs more of the prompt.',
  curve: 'Over the run',
  curveLabel: 'Scores of each checkpoint over the steps',
  table: 'Each checkpoint',
  actions: 'Actions',
  apart: 'Are your subjects kept apart?',
  apartAbout:
    'Pictures of each subject are compared with its own photos and with those of the others. They should come near to the first row, where your photos are compared.',
  apartOf: (name: string) => `How well ${name} is kept apart`,
  yourPhotos: 'Your photos',
  likeOwn: 'Like its own photos',
  likeOther: (name: string) => `Like ${name}`,
  mixed: 'More like another',
  percent: (share: number) => `${Math.round(100 * share)}%`,
  memorized: 'Copies a photo',
  measures: {
    subject: {
      name: 'Likeness',
      about: 'more is better',
      meaning: 'How much the pictures look like your photos.',
    },
    prompt: {
      name: 'Prompt',
      about: 'more is better',
      meaning: 'How well they show what the prompt says.',
    },
    variety: {
      name: 'Variety',
      about: 'more is better',
      meaning:
        'How much they differ from each other. Low variety means that the checkpoint draws the same picture again and again.',
    },
    leak: {
      name: 'Leak',
      about: 'less is better',
      meaning: 'How far the whole class has moved towards your subject, so that every dog turns into yours.',
    },
  },
  with: (features: string) => `Measured with ${features}.`,
};
