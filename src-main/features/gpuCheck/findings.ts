import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Precision } from '../../../src-shared/domain/precision.ts';

/** A line of the page. */
export interface Finding {
  readonly what: string;
  readonly found: string;
  /** Whether it is as expected; left out where nothing is expected. */
  readonly right?: boolean;
  /** The provider that all later parts check. */
  readonly provider?: string;
  /** That one is so slow that narrow networks are all that it can be checked with. */
  readonly small?: true;
}

export type Tell = (finding: Finding) => void;

/** Said of a finding that is not about f32. */
export const inPrecision = (precision: Precision = 'f32'): string =>
  precision === 'f32' ? '' : `, ${precision}`;

/** Writes each finding at once, so that nothing is lost when a driver crashes the process. */
export function tellTo(file: string): Tell {
  return (finding) => appendFileSync(file, `${JSON.stringify(finding)}\n`);
}

/** The findings of a part; a last line that was cut off is ignored. */
export function findingsIn(file: string): Finding[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Finding);
}
