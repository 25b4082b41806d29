import path from 'node:path';

/** What drawPictures.ts draws, and usedLibrary.ts shows. */
export const drawnFolder = path.join(import.meta.dirname, 'drawn');
/** What each block of the shipped model is worth, as `compress --advise` measures it. */
export const worthOfBlocks = path.join(drawnFolder, 'sensitivity.json');
/** Different pictures that there are; picture k shows idea k of the five, modulo five. */
export const kinds = 25;
export const drawnName = (kind: number): string => `${String(kind).padStart(2, '0')}.png`;
/** Checkpoints; 0 is before the first step, and the base model where pictures are scored. */
export const steps = [0, 100, 200, 300, 400] as const;
export const sampleName = (step: number): string => `sample-${step}.png`;
/** Where each checkpoint draws the subject. */
export const scoredPlaces = [
  'in the snow',
  'on a beach',
  'in the forest',
  'on a table',
  'in front of a brick wall',
  'in a library',
];
export const scoredName = (step: number, place: number): string => `scored-${step}-${place}.png`;
/** The checkpoint that the pictures are drawn by. */
export const pickedStep = 300;
export const ideas = [
  'on a beach at sunset',
  'as a watercolour',
  'in the snow',
  'on a wooden table',
  'in a library',
];
