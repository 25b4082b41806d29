import type { PromptList } from '../../../src-shared/domain/score.ts';
import { dreamboothPrompts } from './dreamboothPrompts.ts';
import type { SubjectKind } from '../../../src-shared/domain/runScore.ts';

/** Places, where any subject can be; `{}` is the subject. */
const places = [
  'a {} in the snow',
  'a {} on a beach',
  'a {} in the forest',
  'a {} in the desert',
  'a {} on the grass',
  'a {} on a city street',
  'a {} in a kitchen',
  'a {} on a wooden floor',
  'a {} in front of a brick wall',
  'a {} next to a tree',
  'a {} in front of a mountain lake',
  'a {} on a carpet',
  'a {} among autumn leaves',
  'a {} at night',
  'a {} at sunset',
];

/**
 * 25 prompts for each kind, like DreamBooth's (Ruiz et al. 2022, supplementary material): places, things beside it, properties.
 */
const standardPrompts: Readonly<Record<SubjectKind, readonly string[]>> = {
  object: [
    ...places,
    'a {} floating on water',
    'a {} on a white table',
    'a {} on a pile of books',
    'a {} with flowers around it',
    'a {} seen from above',
    'a red {}',
    'a blue {}',
    'a wet {}',
    'a shiny {}',
    'a {} made of glass',
  ],
  living: [
    ...places,
    'a {} swimming in water',
    'a {} asleep on a sofa',
    'a {} wearing a red hat',
    'a {} wearing sunglasses',
    'a {} wearing a scarf',
    'a {} running',
    'a {} sitting on a chair',
    'a {} seen from above',
    'a wet {}',
    'a {} with flowers around it',
  ],
};

const livingNouns = new Set(
  (
    'animal bird boy budgie bunny calf cat chick chicken child cow dog dolphin donkey duck elephant fish fox frog girl goat goose hamster ' +
    'hen horse kitten lamb lion lizard man monkey mouse owl panda parrot penguin person pet pig pony puppy rabbit rat rooster sheep ' +
    'snake squirrel tiger turtle wolf woman'
  ).split(' '),
);

/** The kind of a class noun, by its last word: "golden retriever dog". */
export function kindOf(classNoun: string): SubjectKind {
  const last = classNoun.trim().toLowerCase().split(/\s+/).at(-1) ?? '';
  return livingNouns.has(last) ? 'living' : 'object';
}

/** A prompt with the subject's token (for the finetuned model), and without it (for any other). */
export interface ScoredPrompt {
  readonly subject: string;
  readonly plain: string;
}

/** The prompts that checkpoints are compared by: 25 of ours, or DreamBooth's. */
export const promptLists = {
  standard: standardPrompts,
  dreambooth: dreamboothPrompts,
} as const satisfies Readonly<Record<PromptList, Readonly<Record<SubjectKind, readonly string[]>>>>;

/** The prompts of a list for `kind`, then the user's own, with `{}` for the subject or with the token in them. */
export function scoredPrompts(
  { list, kind }: { readonly list: PromptList; readonly kind: SubjectKind },
  own: readonly string[],
  { token, classNoun }: { readonly token: string; readonly classNoun: string },
): ScoredPrompt[] {
  return [...promptLists[list][kind], ...own].map((prompt) => {
    const subject = prompt.replaceAll('{}', `${token} ${classNoun}`);
    return { subject, plain: withoutToken(subject, token) };
  });
}

function withoutToken(prompt: string, token: string): string {
  return prompt
    .split(' ')
    .filter((word) => word !== token)
    .join(' ');
}
