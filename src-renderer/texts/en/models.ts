import { plural } from '../../../src-shared/plural.ts';

export const models = {
  about: 'What Likeness starts from. A better model draws better pictures.',
  drawnTitle: (name: string) => `What ${name} draws`,
  drawnAlt: (name: string) => `Pictures that ${name} drew`,
  drawnBy: (name: string, size: string) =>
    `What ${name} draws by itself, at ${size} pixels. Nobody picked these pictures.`,
  sharperTitle: 'Want sharper pictures?',
  sharperText: (name: string, pixels: number) =>
    `${name} is a small model to practise with: it draws ${pixels} × ${pixels} pixels. A larger one draws more detail and needs more time and memory.`,
  sharperLink: 'See which ones fit this machine',
  base: 'Base models',
  import: 'Import a model or LoRA',
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
  better: 'Get a better model',
  betterAbout:
    'Larger models draw sharper pictures and know more of the world. They come from the Hugging Face Hub, each under its own licence.',
  fits: 'Fits this machine',
  fitsNot: 'Too large for this machine',
  outlook: (memory: string, training: string | null, picture: string | null) =>
    training === null || picture === null
      ? `${memory} of memory to train. The time is known once training has been measured here.`
      : `${memory} of memory to train, about ${training} here, then ${picture} a picture.`,
  confirmTitle: (name: string) => `Download ${name}?`,
  confirmText: (bytes: string, repository: string, licence: string) =>
    `This fetches ${bytes} of ${repository} from huggingface.co, under the licence ${licence}. The hash of each file is checked.`,
  confirmLock:
    'The offline lock opens for this download alone. Everything else stays locked, and your photos stay here.',
  confirm: (bytes: string) => `Download ${bytes}`,
  other: 'Another model of the Hub',
  otherHint:
    'owner/name, or the address of its page. Models of Stable Diffusion 1, 2 and XL and what was made from them can be used.',
  otherWrong: (typed: string) => `“${typed}” names no model. Write owner/name, as in nota-ai/bk-sdm-small.`,
  otherConfirm: (repository: string) =>
    `This fetches ${repository} from huggingface.co, under the licence that its page names. The hash of each file is checked.`,
  login: 'Use this machine’s Hub login',
  loginHint: 'For private models, and those whose owner asks for consent.',
  installed: 'Installed',
  download: 'Download',
};
