import { readFileSync } from 'node:fs';
import path from 'node:path';
import { scoreReportSchema, type ScoreReport } from '../../src-shared/domain/score.ts';

/** What drawPictures.ts draws, and usedLibrary.ts shows. */
export const drawnFolder = path.join(import.meta.dirname, 'drawn');
/** What each block of the shipped model is worth, as `compress --advise` measures it. */
export const worthOfBlocks = path.join(drawnFolder, 'sensitivity.json');
/** Different pictures that there are; picture k shows scene k of the five, modulo five. */
export const kinds = 25;
export const drawnName = (kind: number): string => `${String(kind).padStart(2, '0')}.png`;
/** Checkpoints; 0 is before the first step, and the base model where pictures are scored. */
export const steps = [0, 140, 280, 420, 560] as const;
export const sampleName = (step: number): string => `sample-${step}.png`;
/** The run's own log. */
export const runLog = path.join(drawnFolder, 'log.jsonl');
/** What `score` found, as the studio keeps it: a `ScoreReport`, of the pictures below. */
export const measuredScores = path.join(drawnFolder, 'scores.json');
/** What `influence` found of each photo. */
export const measuredInfluence = path.join(drawnFolder, 'influence.json');
/** Which of the pictures that `score` drew are kept: places and things of its prompts. */
export const scoredPrompts = [0, 1, 2, 8, 4, 16];
export const scoredName = (step: number, prompt: number): string => `scored-${step}-${prompt}.png`;
/** How much each of the drawn pictures looks like the subject. */
export const measuredLikeness = path.join(drawnFolder, 'likeness.json');
/** What an export of the picked checkpoint came to, and its receipt. */
export const measuredExport = path.join(drawnFolder, 'export.json');
export const exportName = 'sample.safetensors';
export const receiptOf = (kind: 'json' | 'png'): string => path.join(drawnFolder, `receipt.${kind}`);
/** The scores of the run, as the studio shows them. */
export const scoreReport = (): ScoreReport =>
  scoreReportSchema.parse(JSON.parse(readFileSync(measuredScores, 'utf8')));
/** The checkpoint that the scores advise; the pictures and the export are its own. */
export function pickedStep(): number {
  const { pick } = scoreReport();
  if (!pick) throw new Error('the scores advise no checkpoint');
  return pick.step;
}
/** Where the pictures show the subject, in turns; the last names no place. */
export const scenes = ['on the beach', 'in autumn leaves', 'in the snow', 'on a table', ''];
