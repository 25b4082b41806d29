import { plural } from '../../../src-shared/plural.ts';

export const train = {
  title: (subject: string) => (subject === '' ? 'Train' : `Train ${subject}`),
  about: 'Training adapts a base model until it knows the subject. You can keep working while it runs.',
  noSubjectTitle: 'First, a subject',
  noSubjectText: 'Training needs photos. Create a subject and add four to six photos of it.',
  toSubjects: 'Go to subjects',
  notReadyTitle: (subject: string) => `${subject} is not ready yet`,
  notReadyText: 'Some photos need attention. Each one says what to do.',
  toPhotos: 'Go to the photos',
  newRun: 'New run',
  model: 'Base model',
  presets: 'Preset',
  presetWords: {
    quick: { name: 'Quick', about: 'A first impression: enough to see whether the photos work.' },
    balanced: {
      name: 'Balanced',
      about: 'Start here: a good likeness that still follows prompts.',
    },
    thorough: { name: 'Thorough', about: 'More steps and more checkpoints to pick the best from.' },
  },
  about_: (time: string) => `≈ ${time}`,
  unmeasured: 'time not measured yet',
  measuringNow: 'time is being measured…',
  measured: (memory: string, device: string | null) =>
    device === null ? `${memory}, measured here` : `${memory} on ${device}, measured here`,
  estimated: (memory: string, device: string | null) =>
    device === null ? `about ${memory}, estimated` : `about ${memory} on ${device}, estimated`,
  measure: 'Measure it here',
  measureAbout:
    'A few real steps show how long training takes on this machine and how much memory it needs. With a large model, this takes a few minutes.',
  measuring: 'Trying a few steps on this machine…',
  steps: (steps: number) => plural(steps, 'step', 'steps'),
  reduced: 'Reduced to fit this machine',
  tooLarge: (device: string | null) =>
    device === null
      ? 'This does not fit into this machine’s memory. Close other programs, or choose a smaller picture size below.'
      : `This does not fit into the memory of ${device}. Choose a smaller picture size below, a smaller model such as BK-SDM, or let the processor compute (Settings).`,
  knobs: 'All settings',
  knobsAbout: 'steps, learning rate, LoRA, prior preservation, optimizer…',
  changed: (count: number) => `${plural(count, 'setting', 'settings')} changed`,
  start: (subject: string) => `Train ${subject}`,
  others: 'Learn other subjects in the same run',
  othersAbout: (chosen: number) =>
    chosen === 0 ? 'each keeps its own word in prompts' : `${plural(chosen, 'subject', 'subjects')} more`,
  othersHint:
    'Subjects take turns, so the run gets as many steps for each as it would have alone. Scores then tell how well they are kept apart.',
  and: (names: readonly string[]) =>
    names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`,
  subjects: 'Subjects',
  sideBySide: (names: string) => `Each sample shows, from the left: ${names}.`,
  promise: 'Pause or cancel whenever you like. What has been learnt is kept.',
  runs: 'Runs',
  compare: 'Compare',
  compareChoose: 'Select two runs to compare',
  chooseRun: (name: string) => `Select ${name} to compare`,
  compareTitle: 'Compare runs',
  compareLabel: (first: string, second: string) => `Loss over the steps of ${first} and ${second}`,
  runFigures: (step: number, steps: number, model: string, time: string) =>
    `${step.toLocaleString('en')} of ${plural(steps, 'step', 'steps')} · ${model} · ${time}`,
  states: {
    queued: 'Waiting',
    running: 'Running',
    paused: 'Paused',
    failed: 'Failed',
    cancelled: 'Cancelled',
    done: 'Done',
  },
  goOn: 'Resume',
  more: 'More steps',
  untilBest: 'Stop when it gets no better',
  untilBestHint:
    'Measures each checkpoint as it comes, and ends the run when two in a row did not beat the best. All checkpoints stay. Measuring takes time too.',
  again: 'Run again exactly',
  againHint:
    'Trains once more from the same photos, model and settings, and compares the weights bit by bit.',
  rerun: ({ name, same, changed }: { name: string; same: boolean | null; changed: readonly string[] }) => {
    if (same === null) return `This run makes ${name} again, and compares the weights when it is done.`;
    if (same) return `The weights are the same as those of ${name}, bit by bit.`;
    const why = changed.length > 0 ? changed.join('; ') : 'nothing else that is known has changed';
    return `The weights are not the same as those of ${name}: ${why}.`;
  },
  moreSteps: 'Train up to step',
  moreHint: (steps: number) => `The run ended at step ${steps} and continues from there.`,
  use: 'Make pictures',
  progress: 'Progress',
  spoken: (percent: number, label: string) => `${label}: ${percent} percent`,
  step: 'Step',
  left: 'Time left',
  perStep: 'Per step',
  memory: 'Memory',
  waiting: 'Waiting for its turn.',
  starting: 'Getting ready…',
  learning: 'Training',
  pausedText: 'Paused. It resumes exactly where it stopped.',
  stoppedEarly: (step: number) =>
    step === 0
      ? 'It stopped before its first step.'
      : `It stopped at step ${step.toLocaleString('en')}, before its first checkpoint. Resume it to get there.`,
  samples: 'Samples',
  noSamples: 'The next sample appears after a quarter of the run.',
  photo: 'A photo of yours',
  photoAlt: 'One of the photos, to compare with',
  atStart: 'Before training',
  firstSampleAlt: 'Sample before the first step',
  details: 'Details',
  detailsSummary: (loss: number | null) =>
    loss === null ? 'loss and settings' : `loss ${loss.toFixed(4)}, settings`,
  noSample: 'no sample',
  sampleAlt: (step: number) => `Sample after ${plural(step, 'step', 'steps')}`,
  atStep: (step: number) => `Step ${step.toLocaleString('en')}`,
  picked: 'Picked',
  likeness: (value: number) => `Likeness ${value.toFixed(2)}`,
  useStep: 'Use',
  pick: (step: number) => `Pick step ${step}`,
  unpick: 'Undo the pick',
  loss: 'Loss',
  lossLabel: (step: number, loss: number | null) =>
    `Loss over the steps; ${loss === null ? 'nothing yet' : `${loss.toFixed(4)} at step ${step}`}`,
  lossAbout:
    'Thin line: each step. Thick line: smoothed. The loss jumps because each step uses different noise, so judge by the samples.',
  lossSoon: 'The curve appears with the first steps.',
  settings: 'Settings',
  setting: 'Setting',
};
