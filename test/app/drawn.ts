import path from 'node:path';

/** What drawPictures.ts draws, and usedLibrary.ts shows. */
export const drawnFolder = path.join(import.meta.dirname, 'drawn');
/** Different pictures that there are; picture k shows idea k of the five, modulo five. */
export const kinds = 25;
export const drawnName = (kind: number): string => `${String(kind).padStart(2, '0')}.png`;
export const sampleSteps = [100, 200, 300, 400] as const;
/** The checkpoint that the pictures are drawn by. */
export const pickedStep = 300;
export const ideas = [
  'on a beach at sunset',
  'as a watercolour',
  'in the snow',
  'on a wooden table',
  'in a library',
];
