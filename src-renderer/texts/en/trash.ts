import { plural } from '../../../src-shared/plural.ts';

export const trash = {
  title: 'Trash',
  about:
    'What you remove stays here, however long, until you empty the trash. Then it moves to the system’s trash. Closing Likeness empties nothing.',
  removedAt: (time: string) => `removed ${time}`,
  none: 'The trash is empty.',
  empty: (items: number) => `Empty trash (${items.toLocaleString('en')})`,
  emptied: (items: number) => `${plural(items, 'item was', 'items were')} moved to the system’s trash.`,
  restore: 'Restore',
  restoreThing: (name: string) => `Restore ${name}`,
  restored: (name: string) => `${name} was restored.`,
  kinds: {
    projects: (count: number) => plural(count, 'project', 'projects'),
    subjects: (count: number) => plural(count, 'subject', 'subjects'),
    runs: (count: number) => plural(count, 'run', 'runs'),
    models: (count: number) => plural(count, 'model', 'models'),
    loras: (count: number) => plural(count, 'LoRA file', 'LoRA files'),
    exports: (count: number) => plural(count, 'export', 'exports'),
    evaluations: (count: number) => plural(count, 'measurement', 'measurements'),
    photos: (count: number) => plural(count, 'photo', 'photos'),
    images: (count: number) => plural(count, 'picture', 'pictures'),
  },
};
