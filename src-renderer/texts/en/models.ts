import { plural } from './plural.ts';

export const models = {
  about: 'Add base models, and take what you trained anywhere.',
  sharperTitle: 'Want sharper pictures?',
  sharperText: (name: string, pixels: number) =>
    `${name} is a small model to practise with: it draws ${pixels} × ${pixels} pixels. A larger one draws more detail and needs more time and memory.`,
  sharperLink: 'See which ones fit this machine',
  base: 'Base models',
  import: 'Import a model',
  sources: {
    shipped: 'Comes with Likeness',
    linked: 'Linked',
    downloaded: 'Downloaded',
    made: 'Made here',
  },
  default: 'Used for new runs',
  makeDefault: 'Use for new runs',
  missing: 'Files are missing',
  parameters: (count: string) => `${count} parameters`,
  network: 'Network',
  locked: 'Offline',
  unlocked: 'Online',
  lockedLong: 'Locked. Nothing leaves this machine.',
  unlockedLong: 'The network can be used.',
  sockets: (opened: number) =>
    `${plural(opened, 'connection', 'connections')} to other machines since Likeness started`,
  refused: 'Blocked since Likeness started:',
  lock: 'Offline lock',
  lockAbout: 'Blocks every connection to other machines.',
  downloads: 'Downloads from the Hub',
  downloadsAbout:
    'Fetches models when you ask for them and checks the hash of each file. The offline lock must be open.',
  hub: 'From the Hugging Face Hub',
  hubOff: 'To download, open the offline lock and turn on downloads.',
  installed: 'Installed',
  download: 'Download',
};
