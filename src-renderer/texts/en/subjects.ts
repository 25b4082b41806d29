import { plural } from '../../../src-shared/plural.ts';

export const subjects = {
  about: 'What Likeness learns: a pet, a person, a thing. Four to six photos are enough.',
  create: 'New subject',
  createNow: 'Create',
  trySample: 'Try the sample subject',
  emptyTitle: 'Teach it something of yours',
  emptyText:
    'A subject is a set of photos of one thing. Likeness learns from them and then draws it anywhere: on the beach, as a watercolour, in space.',
  emptyShelf: 'No subjects in this project yet.',
  count: (count: number) => plural(count, 'subject', 'subjects'),
  figures: (photos: number, images: number) =>
    `${plural(photos, 'photo', 'photos')} · ${plural(images, 'picture', 'pictures')}`,
  training: 'Training',
  trained: 'Trained',
  name: 'Name',
  nameHint: 'What you call it: Rex, Grandma’s vase.',
  noun: 'What is it?',
  nounHint: 'One plain word that the model knows.',
  nounExample: 'dog, mug, backpack',
  token: 'Token',
  advanced: 'Advanced',
  tokenIs: (token: string) => `token ${token}`,
  tokenAbout:
    'A word that means nothing else to the model and stands for this subject. Each subject has its own, so two can be in one picture. Runs that are trained keep theirs.',
  sayNoun: 'Say what it is in one plain word, such as “dog”. The model starts from what it knows about dogs.',
  inPrompts: 'In prompts, write',
  wordsOnly: 'Use letters, digits and single spaces only, and no more than six words.',
  shelf: 'Project',
  newShelf: 'New project…',
  shelfName: 'Project name',
  train: 'Train',
};
