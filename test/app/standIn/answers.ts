import type { Input, Output, RequestName } from '../../../src-shared/contract/index.ts';
import type { ImageFilter } from '../../../src-shared/domain/image.ts';
import type { Settings } from '../../../src-shared/domain/settings.ts';
import * as data from './data.ts';

export type Answers = { [N in RequestName]?: (input: Input<N>) => Output<N> };
export interface Library {
  /** How many pictures it has. */
  readonly images: number;
  /** Nobody has used it yet. */
  readonly fresh: boolean;
  settings: Settings;
}

const first = <T>(list: readonly T[], id: number, idOf: (thing: T) => number): T => {
  const found = list.find((thing) => idOf(thing) === id);
  if (!found) throw new Error(`there is nothing with the id ${id}`);
  return found;
};
const run = (id: number): (typeof data.runs)[number] => first(data.runs, id, (each) => each.id);
const subject = (id: number): (typeof data.subjects)[number] => first(data.subjects, id, (each) => each.id);

function ids({ images }: Library, { text, favourite }: ImageFilter = {}): number[] {
  const all = Array.from({ length: images }, (_, i) => i + 1);
  if (text === undefined && favourite === undefined) return all;
  return all.filter((id) => {
    const image = data.imageOf(id);
    return (favourite === undefined || image.favourite === favourite) && image.prompt.includes(text ?? '');
  });
}

/** What the stand-in studio answers. */
export function answersOf(library: Library): Answers {
  const made = library.fresh ? [] : data.subjects;
  return {
    'settings.get': () => library.settings,
    'settings.update': (changes) => {
      const given = Object.entries(changes).filter(([, value]) => value !== undefined);
      library.settings = { ...library.settings, ...Object.fromEntries(given) };
      return library.settings;
    },
    'system.info': () => ({
      ...{ version: '0.1.0', shell: 'browser', platform: 'linux', cpu: 'A processor', threads: 2 },
      memory: { total: 25e9, available: 18e9 },
    }),
    'system.offline': () => ({ locked: library.settings.offline, refused: [], opened: 0 }),
    'system.list': () => ({
      path: '/home/me',
      parent: '/home',
      entries: [{ name: 'Pictures', folder: true }],
    }),
    'library.get': () => ({
      ...{ folder: '/home/me/Likeness', name: 'Likeness', subjects: made.length, images: library.images },
      ...{ runs: made.length, free: 4e11, notices: [] },
    }),
    'projects.list': () => data.projects,
    'subjects.list': () => made,
    'subjects.get': ({ id }) => subject(id),
    'photos.list': ({ subjectId }) => ({
      photos: subjectId === 1 ? data.photos : [],
      report: {
        ready: subjectId === 1,
        marks:
          subjectId === 1
            ? []
            : [{ code: 'few', level: 'stop', message: 'Add photos: four to six are enough.' }],
      },
    }),
    'training.presets': () => data.presets,
    'training.runs': () => (library.fresh ? [] : data.runs),
    'training.run': ({ id }) => ({
      ...{ run: run(id), checkpoints: data.checkpointsOf(run(id)), curve: data.curveOf(run(id)) },
    }),
    'generation.recent': () => [
      {
        prompt: 'a photo of sks teddy bear in the snow',
        negative: 'blurry',
        usedAt: data.projects[0]?.createdAt ?? 0,
      },
    ],
    'generation.start': ({ count, seed }) => ({ jobId: 9, total: count, seed: seed ?? 77 }),
    'gallery.ids': ({ filter }) => ids(library, filter),
    'gallery.get': (input) => input.ids.map(data.imageOf),
    'gallery.detail': ({ id }) => {
      const image = data.imageOf(id);
      return {
        ...image,
        ...{
          file: `pictures/${image.name}`,
          bytes: 31_000,
          hash: 'ab'.repeat(32),
          recipe: data.recipeOf(image),
        },
      };
    },
    'gallery.favourite': () => ({}),
    'gallery.remove': () => ({ undo: 'a-token' }),
    'scores.get': ({ runId }) => (runId === 2 ? data.report : null),
    'models.list': () => data.models,
    'models.catalogue': () => data.catalogue,
    'exports.list': () => (library.fresh ? [] : data.exported),
    'jobs.list': () => (library.fresh ? [] : data.jobs),
    'trash.count': () => ({ items: 3 }),
    'trash.undo': () => ({ restored: 1 }),
  };
}
