import { basename } from 'node:path';
import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';

/** "a photo of sks dog", and the same without the token for class pictures. */
export function subjectPrompt({ token, classNoun }: Pick<FinetuneSettings, 'token' | 'classNoun'>): string {
  return `a photo of ${token} ${classNoun}`;
}

/** What a photo is trained with: its caption; without one, the subject and the place. */
export function photoPrompt(
  settings: Pick<FinetuneSettings, 'token' | 'classNoun' | 'photoScenes' | 'photoCaptions'>,
  file: string,
): string {
  const caption = settings.photoCaptions?.[basename(file)];
  if (caption !== undefined)
    return caption.replaceAll('{token}', settings.token).replaceAll('{class}', settings.classNoun);
  const scene = settings.photoScenes?.[basename(file)];
  return [subjectPrompt(settings), ...(scene ? [scene] : [])].join(' ');
}

export function classPrompt({ classNoun }: Pick<FinetuneSettings, 'classNoun'>): string {
  return `a photo of ${classNoun}`;
}
