import { gallery } from '../../state/gallery.svelte.ts';
import { generation } from '../../state/generation.svelte.ts';
import { overlays } from '../../state/overlays.svelte.ts';
import { router, screens } from '../../state/router.svelte.ts';
import { settings } from '../../state/settings.svelte.ts';
import { subjects } from '../../state/subjects.svelte.ts';
import { training } from '../../state/training.svelte.ts';
import { switchSubject } from '../../state/useRun.ts';
import { texts } from '../../texts/index.ts';
import type { IconName } from '../../ui/icons.ts';
import { goKeys } from './keyboard.ts';

export interface Command {
  readonly id: string;
  readonly title: string;
  readonly icon: IconName;
  /** Keys that do the same. */
  readonly keys?: string;
  readonly run: () => void;
}

const icons: Readonly<Record<string, IconName>> = {
  subjects: 'subject',
  train: 'train',
  generate: 'generate',
  gallery: 'gallery',
  scores: 'scores',
  models: 'models',
  settings: 'settings',
};

function places(): Command[] {
  return screens
    .filter((screen) => screen !== 'welcome')
    .map((screen) => {
      const letter = Object.entries(goKeys).find(([, name]) => name === screen)?.[0];
      return {
        id: `go-${screen}`,
        title: texts.palette.go(texts.screens[screen]),
        icon: icons[screen] ?? 'right',
        ...(letter && { keys: `G ${letter.toUpperCase()}` }),
        run: () => router.go(screen),
      };
    });
}

function actions(): Command[] {
  const { theme = 'system', tourDone = true } = settings.value ?? {};
  const next = theme === 'dark' ? 'light' : 'dark';
  return [
    {
      id: 'new',
      title: texts.subjects.create,
      icon: 'add',
      keys: 'N',
      run: () => (overlays.newSubject = true),
    },
    { id: 'jobs', title: texts.palette.jobs, icon: 'jobs', keys: 'J', run: () => (overlays.jobs = true) },
    {
      id: 'favourites',
      title: texts.palette.favourites,
      icon: 'star',
      run: () => {
        void gallery.show({ favourite: true });
        router.go('gallery');
      },
    },
    {
      id: 'theme',
      title: texts.palette.theme(texts.settings.themes[next]),
      icon: 'sun',
      run: () => void settings.update({ theme: next }),
    },
    {
      id: 'shortcuts',
      title: texts.shortcuts.title,
      icon: 'keyboard',
      keys: '?',
      run: () => (overlays.shortcuts = true),
    },
    ...(tourDone
      ? [
          {
            id: 'tour',
            title: texts.palette.tour,
            icon: 'info' as const,
            run: () => {
              void settings.update({ tourDone: false });
              router.go('welcome');
            },
          },
        ]
      : []),
  ];
}

function things(): Command[] {
  return [
    ...subjects.list.map(({ id, name }) => ({
      id: `subject-${id}`,
      title: texts.palette.subject(name),
      icon: 'subject' as const,
      run: () => {
        switchSubject(id);
        router.go('subjects', id);
      },
    })),
    ...training.runs.map(({ id, name, subjectId }) => ({
      id: `run-${id}`,
      title: texts.palette.run(name, subjects.byId(subjectId)?.name ?? ''),
      icon: 'train' as const,
      run: () => {
        switchSubject(subjectId);
        router.go('train', id);
      },
    })),
    ...generation.recent.slice(0, 20).map(({ prompt, negative }) => ({
      id: `prompt-${prompt}`,
      title: texts.palette.prompt(prompt),
      icon: 'generate' as const,
      run: () => {
        Object.assign(generation.draft, { prompt, negative });
        router.go('generate');
      },
    })),
  ];
}

/** What `text` may mean: every word of it occurs in the title. With no text, places and actions. */
export function commandsFor(text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...places(), ...actions()];
  const found = [...places(), ...actions(), ...things()].filter(({ title }) =>
    words.every((word) => title.toLowerCase().includes(word)),
  );
  const search: Command = {
    id: 'search',
    title: texts.palette.search(text),
    icon: 'search',
    run: () => {
      void gallery.show({ text });
      router.go('gallery');
    },
  };
  return [...found, search];
}
