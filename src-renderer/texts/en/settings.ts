import { plural } from '../../../src-shared/plural.ts';

export const settings = {
  look: 'Appearance',
  theme: 'Colours',
  themes: { system: 'System', light: 'Light', dark: 'Dark' },
  library: 'Library',
  libraryAbout:
    'An ordinary folder that you can open, copy and move. Pictures are PNG files and are recognised by their content.',
  rescan: 'Rescan the folder',
  rescanning: 'Scanning…',
  rescanned: ({ added, moved, missing }: { added: number; moved: number; missing: number }) =>
    `Folder scanned: ${added} new, ${moved} moved, ${missing} missing.`,
  subjects: 'Subjects',
  runs: 'Runs',
  pictures: 'Pictures',
  free: 'Free disk space',
  computing: 'Computing',
  provider: 'Processor',
  providerAbout: 'Automatic uses the fastest one that works.',
  providers: {
    auto: 'Automatic',
    cpu: 'CPU',
    webgpu: 'GPU (WebGPU)',
    cuda: 'NVIDIA GPU (CUDA)',
    dml: 'GPU (DirectML)',
    coreml: 'Apple (Core ML)',
  },
  machine: (cpu: string, threads: number, total: string, free: string) =>
    `${cpu}, ${plural(threads, 'thread', 'threads')}, ${total} memory, ${free} of it free`,
  scorers: 'Your own scorers',
  scorersAbout:
    'Scoring works without these. Choose a CLIP or DINO folder to measure as the literature does.',
  clip: 'CLIP folder',
  dino: 'DINO folder',
  noFolder: 'none',
  chooseFolder: 'Choose ',
  version: (version: string) => `Likeness ${version}`,
};
