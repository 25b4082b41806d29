import type { Job } from '../../../src-shared/domain/job.ts';

export const jobs = {
  title: 'Jobs',
  running: 'Running',
  queued: 'Waiting',
  ended: 'Finished',
  none: 'No jobs. Training, pictures, scores, exports and imports appear here.',
  clear: 'Clear finished',
  pause: 'Pause',
  resume: 'Resume',
  cancel: 'Cancel',
  retry: 'Try again',
  up: (title: string) => `Move ${title} up`,
  down: (title: string) => `Move ${title} down`,
  /** The phases of jobs; a phase that is not listed is shown by its own name. */
  phases: {
    'class pictures': 'Drawing class pictures',
    'reading photos': 'Reading the photos',
    'reading class pictures': 'Reading class pictures',
    'building the network': 'Building the network',
    measuring: 'Measuring the loss',
    steps: 'Learning',
    samples: 'Drawing a sample',
    checkpoints: 'Saving a checkpoint',
    pictures: 'Drawing pictures',
    comparing: 'Comparing with your photos',
    'short runs': 'Training briefly without each photo',
    'looking at photos': 'Looking at each photo',
    'opening the model': 'Opening the model',
  } as Readonly<Record<string, string>>,
  phase: (words: string, done: number, total: number) =>
    total > 1 ? `${words}: ${done.toLocaleString('en')} of ${total.toLocaleString('en')}` : words,
  bytes: (done: string, total: string) => `${done} of ${total}`,
  waitsFor: (title: string) => `Waiting for “${title}”`,
  waitsUntil: (title: string, time: string) => `Waiting for “${title}”, ${time} left`,
  now: (kind: string, own: string) =>
    kind === 'train' && own === 'generate' ? 'Pause training and draw now' : 'Do this first',
  nowAbout: 'The other job keeps what it has and resumes by itself afterwards.',
  left: (time: string) => `${time} left`,
  show: 'Show',
  showThing: (title: string) => `Show ${title}`,
  done: (kind: Job['kind'], title: string) =>
    kind === 'generate' ? `${title} ${/^\d/.test(title) ? 'are' : 'is'} ready.` : `${title} has finished.`,
  failed: (title: string, why: string) => (why.startsWith(title) ? why : `${title} failed. ${why}`),
  stopping: { paused: 'Pausing…', cancelled: 'Cancelling…' },
  states: { done: 'Done', failed: 'Failed', cancelled: 'Cancelled', paused: 'Paused' },
};
