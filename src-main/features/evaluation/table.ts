import type { EvaluationTable } from '../../../src-shared/domain/evaluation.ts';
import type { SetScores } from './set.ts';
import type { SubjectScores } from './subject.ts';

/** The figures that could be measured, each with its spread. */
export function setTable(scores: SetScores): EvaluationTable {
  const rows: EvaluationTable['rows'] = [
    { name: 'FID', values: [scores.fid, null] },
    { name: 'KID', values: [scores.kid, scores.kidStd] },
    { name: 'Inception Score', values: [scores.is, scores.isStd] },
    { name: 'CLIP score', values: [scores.clipScore, null] },
    { name: 'Fréchet distance (MobileNetV2)', values: [scores.mobileNet?.frechet ?? null, null] },
    { name: 'KID (MobileNetV2)', values: [scores.mobileNet?.kid ?? null, null] },
  ];
  return { columns: ['', '±'], rows: rows.filter(({ values: [value] }) => value !== null) };
}

export function subjectTable({ clipI, dino, clipT, mobileNet }: SubjectScores): EvaluationTable {
  const rows = [
    { name: 'CLIP-I', values: [clipI] },
    { name: 'DINO', values: [dino] },
    { name: 'CLIP-T', values: [clipT] },
    { name: 'MobileNetV2', values: [mobileNet] },
  ];
  return { columns: [''], rows: rows.filter(({ values: [value] }) => value !== null) };
}
