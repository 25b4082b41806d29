import { existsSync } from 'node:fs';
import type { FinetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { eachSubject } from '../../../src-shared/domain/runSubjects.ts';
import type { Copy, SubjectKind } from '../../../src-shared/domain/runScore.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { copyThreshold, photoViews, printsOf, resemblance } from '../../engine/evaluation/memorization.ts';
import { loadPicture, middleSquare } from '../../engine/pictures/pictures.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import { listPhotos } from '../../engine/training/data/photoFolder.ts';
import { classPrompts } from '../../engine/training/data/prompts.ts';
import type { DrawnPicture, Wanted } from './drawPictures.ts';
import { kindOf, scoredPrompts, type ScoredPrompt } from './prompts.ts';
import type { ScoreRequest } from './request.ts';

/** Pictures of the class without the token, for every model and subject. */
const classPictures = 4;
/** Each prompt has its own seeds, the same for all checkpoints and subjects. */
const firstSeed = 1000;

interface Photo {
  readonly path: string;
  /** As training sees it: the middle square at the model's size, so that pictures and photos are equally sharp. */
  readonly picture: Picture;
  readonly whole: Picture;
}

/** One of a run's subjects, and what its pictures are asked for and compared with. */
export interface ScoredSubject {
  /** As prompts say it: "sks dog". */
  readonly name: string;
  readonly kind: SubjectKind;
  readonly photos: readonly Photo[];
  readonly prompts: readonly ScoredPrompt[];
  readonly classPrompts: readonly string[];
}

/** The subjects of a run with these settings. Errors: `score.noPhotos`, `score.photosOfOne`, `run.photosGone`, those of `listPhotos` and `loadPicture`. */
export async function scoredSubjects(
  request: ScoreRequest,
  settings: FinetuneSettings,
): Promise<[ScoredSubject, ...ScoredSubject[]]> {
  const [first, ...others] = eachSubject(settings);
  if (others.length > 0 && request.photos !== undefined)
    throw problem('score.photosOfOne', { folder: request.run });
  if (request.photos === undefined)
    for (const { photos } of [first, ...others])
      if (photos !== undefined && !existsSync(photos))
        throw problem('run.photosGone', {
          ...{ folder: request.run, photos },
          option: others.length > 0 ? undefined : '--photos',
        });
  const found: [ScoredSubject, ...ScoredSubject[]] = [
    await scoredSubject(request, first, request.photos ?? first.photos),
  ];
  for (const own of others) found.push(await scoredSubject(request, own, own.photos));
  return found;
}

async function scoredSubject(
  { run, list, prompts, kind }: ScoreRequest,
  settings: FinetuneSettings,
  folder: string | undefined,
): Promise<ScoredSubject> {
  if (folder === undefined) throw problem('score.noPhotos', { folder: run });
  const photos: Photo[] = [];
  for (const path of await listPhotos(folder)) {
    const whole = await loadPicture(path);
    photos.push({ path, whole, picture: await middleSquare(whole, settings.size) });
  }
  const { token, classNoun } = settings;
  const own = kind ?? kindOf(classNoun);
  return {
    ...{ name: `${token} ${classNoun}`, kind: own, photos },
    prompts: scoredPrompts({ list, kind: own }, prompts, settings),
    classPrompts: classPrompts(settings),
  };
}

/** What is drawn of all subjects: first the scenes of each [prompt·seed], then the pictures of each one's class. */
export function wantedPictures(
  subjects: readonly ScoredSubject[],
  of: keyof ScoredPrompt,
  seeds: number,
): Wanted[] {
  const scenes = subjects.flatMap(({ prompts }) =>
    prompts.flatMap((prompt, p) =>
      Array.from({ length: seeds }, (_, s) => ({ prompt: prompt[of], seed: firstSeed + p * seeds + s })),
    ),
  );
  const ofClass = subjects.flatMap(({ classPrompts: own }) =>
    Array.from({ length: classPictures }, (_, i) => ({ prompt: own[i % own.length] ?? '', seed: i })),
  );
  return [...scenes, ...ofClass];
}

/** Of pictures that were wanted so, subject `index`'s: its scenes, then those of its class. */
export function picturesOf<T>(
  drawn: readonly T[],
  subjects: readonly ScoredSubject[],
  index: number,
  seeds: number,
): T[] {
  const counts = subjects.map(({ prompts }) => prompts.length * seeds);
  const before = (until: number): number => counts.slice(0, until).reduce((sum, count) => sum + count, 0);
  const ofClass = before(subjects.length) + index * classPictures;
  return [...drawn.slice(before(index), before(index + 1)), ...drawn.slice(ofClass, ofClass + classPictures)];
}

/** Finds pictures that are nearly one of these photos. */
export function copyFinder(photos: readonly Photo[]): {
  threshold: number;
  find: (drawn: DrawnPicture) => Copy | undefined;
} {
  const views = photos.map(({ whole }) => photoViews(whole));
  const threshold = copyThreshold(
    photos.map(({ picture }) => picture),
    views,
  );
  return {
    threshold,
    find: ({ path, picture }) => {
      const prints = printsOf(picture);
      const nearest = views
        .map((view, i) => ({ photo: (photos[i] as Photo).path, resemblance: resemblance(prints, view) }))
        .reduce((most, one) => (one.resemblance > most.resemblance ? one : most));
      return nearest.resemblance > threshold ? { picture: path, ...nearest } : undefined;
    },
  };
}
