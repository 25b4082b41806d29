import { plural } from './plural.ts';

export const models = {
  about: 'Take what you trained anywhere, and bring your own base models.',
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
  missing: 'Files are gone',
  parameters: (count: string) => `${count} parameters`,
  network: 'Network',
  locked: 'Offline',
  unlocked: 'Online',
  lockedLong: 'Locked: nothing leaves this machine.',
  unlockedLong: 'The network can be used.',
  sockets: (opened: number) =>
    `${plural(opened, 'connection', 'connections')} to other machines since the start`,
  refused: 'Refused since the start:',
  lock: 'Offline lock',
  lockAbout: 'Blocks every connection to other machines.',
  downloads: 'Downloads from the Hub',
  downloadsAbout:
    'Models may be fetched when you ask for them; each file is checked by its hash. Needs the lock open.',
  hub: 'From the Hugging Face Hub',
  hubOff: 'To download, open the offline lock and switch downloads on.',
  installed: 'Installed',
  download: 'Download',
};
