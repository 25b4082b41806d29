import type { FinetuneSettings } from './finetuneSettings.ts';

/** The settings that name a run's subjects. */
type SubjectSettings = Pick<FinetuneSettings, 'classNoun' | 'token' | 'otherSubjects'> &
  Partial<Pick<FinetuneSettings, 'photos' | 'photoScenes' | 'photoCaptions'>>;

/** A run's settings as each of its subjects alone would have them, the first one first. */
export function eachSubject<S extends SubjectSettings>(settings: S): [S, ...S[]] {
  const { otherSubjects = [] } = settings;
  const alone = { ...settings, otherSubjects: undefined };
  const others = otherSubjects.map(({ photos, photoScenes, photoCaptions, ...words }) => ({
    ...alone,
    ...words,
    ...{ photos, photoScenes, photoCaptions },
  }));
  return [alone, ...others];
}

/** The place among a run's subjects of the one that all `prompts` name: "sks dog". None where they name several, or none of many. */
export function subjectAsked(settings: SubjectSettings, prompts: readonly string[]): number | undefined {
  const subjects = eachSubject(settings);
  if (subjects.length === 1) return 0;
  const named = subjects.map(({ token, classNoun }) =>
    prompts.every((prompt) => prompt.includes(`${token} ${classNoun}`)),
  );
  return named.filter(Boolean).length === 1 ? named.indexOf(true) : undefined;
}

/** The class nouns of a run's subjects, each once. */
export function classNounsOf(settings: SubjectSettings): string[] {
  return [...new Set(eachSubject(settings).map(({ classNoun }) => classNoun))];
}
