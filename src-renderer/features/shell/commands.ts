import type { Job } from '../../../src-shared/domain/job.ts';
import { gallery } from '../../state/gallery.svelte.ts';
import { generation } from '../../state/generation.svelte.ts';
import { jobs } from '../../state/jobs.svelte.ts';
import { machine } from '../../state/machine.svelte.ts';
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
  /** The shortcut for it. */
  readonly keys?: string;
  /** Other words for it. */
  readonly also?: string;
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
      id: 'export',
      title: texts.palette.export,
      icon: 'export',
      also: texts.palette.exportAlso,
      run: goToExport,
    },
    {
      id: 'import',
      title: texts.models.import,
      icon: 'import',
      also: texts.palette.importAlso,
      run: () => router.go('models', 'import'),
    },
    machine.offline?.locked === false
      ? {
          id: 'offline',
          title: texts.palette.goOffline,
          icon: 'lock',
          also: texts.palette.offlineAlso,
          run: () => void settings.update({ offline: true }),
        }
      : {
          id: 'offline',
          title: texts.palette.lock,
          icon: 'lock',
          also: texts.palette.offlineAlso,
          run: () => router.go('models', 'network'),
        },
    {
      id: 'trash',
      title: texts.palette.trash,
      icon: 'trash',
      also: texts.palette.trashAlso,
      run: () => router.go('settings'),
    },
    {
      id: 'measurements',
      title: texts.measurements.title,
      icon: 'scores',
      also: texts.palette.measurementsAlso,
      run: () => router.go('scores', 'pictures'),
    },
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
      also: texts.palette.helpAlso,
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
            also: texts.palette.helpAlso,
            run: () => {
              void settings.update({ tourDone: false });
              router.go('welcome');
            },
          },
        ]
      : []),
  ];
}

/** To the latest run of the subject that is worked with; to training where there is none. */
function goToExport(): void {
  const run = training.ofSubject(subjects.current?.id).find(({ checkpoints }) => checkpoints > 0);
  if (run) router.go('train', run.id, 'export');
  else router.go('train');
}

/** Commands for unfinished jobs. */
function work(): Command[] {
  const command = (job: Job, action: 'pause' | 'resume' | 'cancel', icon: IconName): Command => ({
    id: `${action}-${job.id}`,
    title: texts.palette[action](job.title),
    icon,
    run: () => void jobs.act(action, job.id),
  });
  return [...jobs.running, ...jobs.queued].flatMap((job) => [
    ...(job.state === 'running' ? [command(job, 'pause', 'pause')] : []),
    ...(job.state === 'paused' ? [command(job, 'resume', 'play')] : []),
    command(job, 'cancel', 'close'),
  ]);
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

/** The commands that match `text`: every word of it is in the title. Without text, places and actions. */
export function commandsFor(text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...work(), ...places(), ...actions()];
  const found = [...work(), ...places(), ...actions(), ...things()].filter(({ title, also = '' }) =>
    words.every((word) => `${title} ${also}`.toLowerCase().includes(word)),
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
