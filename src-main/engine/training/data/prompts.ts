import { basename } from 'node:path';
import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { expandWildcards } from '../../../../src-shared/domain/wildcards.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { promptLength } from '../../models/textEncoders.ts';
import { saidOf } from './sameName.ts';
import type { EncodedPrompt, Tokenizer } from '../../models/tokenizer.ts';

/** "a photo of sks dog", and the same without the token for class pictures. */
export function subjectPrompt({ token, classNoun }: Pick<FinetuneSettings, 'token' | 'classNoun'>): string {
  return `a photo of ${token} ${classNoun}`;
}

/**
 * The prompt that a photo is trained with: the subject in the place that it was put into; or its caption; or the subject and where the
 * photo was taken. That is left out ('') where others of its prompts name places.
 */
export function photoPrompt(
  settings: Pick<FinetuneSettings, 'token' | 'classNoun' | 'photoScenes' | 'photoCaptions'>,
  file: string,
  place?: string,
): string {
  const caption = place ? undefined : saidOf(settings.photoCaptions, basename(file));
  if (caption !== undefined)
    return caption.replaceAll('{token}', settings.token).replaceAll('{class}', settings.classNoun);
  const scene = place ?? saidOf(settings.photoScenes, basename(file));
  return [subjectPrompt(settings), ...(scene ? [scene] : [])].join(' ');
}

/** What class pictures are drawn from and trained with: picture i has prompt i, and they start over. */
export function classPrompts({ classNoun, prior }: Pick<FinetuneSettings, 'classNoun' | 'prior'>): string[] {
  const prompt = prior?.prompt ?? 'a photo of {class}';
  return expandWildcards(prompt.replaceAll('{class}', classNoun));
}

/** The prompt that class picture i is trained with: its caption, without the subject's token; or the class's prompt of its turn. */
export function classPrompt(
  settings: Pick<FinetuneSettings, 'classNoun' | 'prior' | 'classCaptions'>,
  file: string,
  i: number,
): string {
  const caption = saidOf(settings.classCaptions, basename(file));
  const prompts = classPrompts(settings);
  if (caption === undefined) return prompts[i % prompts.length] ?? '';
  return caption
    .replaceAll('{token}', '')
    .replaceAll('{class}', settings.classNoun)
    .replace(/\s+/g, ' ')
    .trim();
}

/** A prompt's tokens, as the model's text encoder takes them, with `more` new ones. Errors: `tokenizer.invalid`. */
export function tokenIds(model: Model, tokenizer: Tokenizer, prompt: string, more = 0): EncodedPrompt {
  const words = model.textEncoder.config.vocab_size + more;
  const length = promptLength(model);
  const encoded = tokenizer.encode(prompt);
  if (encoded.ids.length !== length || encoded.ids.some((id) => id >= words))
    throw problem('tokenizer.invalid', {
      file: model.path,
      why: `the text encoder takes ${length} tokens out of ${words}`,
    });
  return encoded;
}
