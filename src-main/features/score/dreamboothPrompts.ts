import type { SubjectKind } from '../../../src-shared/domain/runScore.ts';

const scenes = [
  'a {} in the jungle',
  'a {} in the snow',
  'a {} on the beach',
  'a {} on a cobblestone street',
  'a {} on top of pink fabric',
  'a {} on top of a wooden floor',
  'a {} with a city in the background',
  'a {} with a mountain in the background',
  'a {} with a blue house in the background',
  'a {} on top of a purple rug in a forest',
];
const properties = ['a red {}', 'a purple {}', 'a shiny {}', 'a wet {}', 'a cube shaped {}'];

/** The 25 prompts of DreamBooth's evaluation (Ruiz et al. 2023, `prompts_and_classes.txt` of its data set); `{}` is the subject. */
export const dreamboothPrompts: Readonly<Record<SubjectKind, readonly string[]>> = {
  object: [
    ...scenes,
    'a {} with a wheat field in the background',
    'a {} with a tree and autumn leaves in the background',
    'a {} with the Eiffel Tower in the background',
    'a {} floating on top of water',
    'a {} floating in an ocean of milk',
    'a {} on top of green grass with sunflowers around it',
    'a {} on top of a mirror',
    'a {} on top of the sidewalk in a crowded street',
    'a {} on top of a dirt road',
    'a {} on top of a white rug',
    ...properties,
  ],
  living: [
    ...scenes,
    'a {} wearing a red hat',
    'a {} wearing a santa hat',
    'a {} wearing a rainbow scarf',
    'a {} wearing a black top hat and a monocle',
    'a {} in a chef outfit',
    'a {} in a firefighter outfit',
    'a {} in a police outfit',
    'a {} wearing pink glasses',
    'a {} wearing a yellow shirt',
    'a {} in a purple wizard outfit',
    ...properties,
  ],
};
