import { plural } from './plural.ts';

export const settings = {
  look: 'Look',
  theme: 'Colours',
  themes: { system: 'As the system', light: 'Light', dark: 'Dark' },
  library: 'Library',
  libraryAbout:
    'An ordinary folder: open it, copy it, move it. Pictures are PNG files and are found again by their content.',
  rescan: 'Look through the folder',
  rescanning: 'Looking …',
  rescanned: ({ added, moved, missing }: { added: number; moved: number; missing: number }) =>
    `Looked through the folder: ${added} new, ${moved} moved, ${missing} missing.`,
  subjects: 'Subjects',
  runs: 'Runs',
  pictures: 'Pictures',
  free: 'Free on the disk',
  emptyTrash: (items: number) => (items === 0 ? 'Trash is empty' : `Empty trash (${items})`),
  trashAbout: 'What you remove can be undone until it goes to the system’s trash.',
  trashEmptied: (items: number) => `${plural(items, 'thing', 'things')} went to the system’s trash.`,
  computing: 'Computing',
  provider: 'What computes',
  providerAbout: 'Automatic takes the fastest that works.',
  providers: {
    auto: 'Automatic',
    cpu: 'Processor (CPU)',
    webgpu: 'Graphics card (WebGPU)',
    cuda: 'NVIDIA (CUDA)',
    dml: 'Windows (DirectML)',
    coreml: 'Apple (Core ML)',
  },
  machine: (cpu: string, threads: number, total: string, free: string) =>
    `${cpu}, ${plural(threads, 'thread', 'threads')}, ${total} memory, ${free} of it free`,
  scorers: 'Your own scorers',
  scorersAbout:
    'Scores work without these. With a CLIP or DINO folder of yours they are measured as in the literature.',
  clip: 'CLIP folder',
  dino: 'DINO folder',
  noFolder: 'none',
  chooseFolder: 'Choose ',
  version: (version: string) => `Likeness ${version}`,
};
