import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { eachSubject } from '../../../../src-shared/domain/runSubjects.ts';

type Settings = Pick<FinetuneSettings, 'method' | 'classNoun' | 'token' | 'otherSubjects' | 'embedding'>;

/** The words that a textual inversion learns, each subject's token, with their numbers of vectors; none with other methods. */
export function learntWords(settings: Settings): ReadonlyMap<string, number> {
  if (settings.method !== 'embedding') return new Map();
  return new Map(eachSubject(settings).map(({ token }) => [token, settings.embedding.vectors]));
}

/** How many vectors these words have together. */
export function vectorsOf(words: ReadonlyMap<string, number>): number {
  return [...words.values()].reduce((sum, count) => sum + count, 0);
}
