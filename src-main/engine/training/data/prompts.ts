import { basename } from 'node:path';
import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';

/** "a photo of sks dog", and the same without the token for class pictures. */
export function subjectPrompt({ token, classNoun }: Pick<FinetuneSettings, 'token' | 'classNoun'>): string {
  return `a photo of ${token} ${classNoun}`;
}

/** What a photo is trained with. */
export function photoPrompt(
  settings: Pick<FinetuneSettings, 'token' | 'classNoun' | 'photoScenes'>,
  file: string,
): string {
  const scene = settings.photoScenes?.[basename(file)];
  return [subjectPrompt(settings), ...(scene ? [scene] : [])].join(' ');
}

export function classPrompt({ classNoun }: Pick<FinetuneSettings, 'classNoun'>): string {
  return `a photo of ${classNoun}`;
}
