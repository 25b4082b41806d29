import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
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

export interface Tell {
  (finding: Finding): void;
  /** What an earlier process of the part found before it was cut short. */
  readonly told?: ReadonlySet<string>;
}

/** Said of a finding that is not about f32. */
export const inPrecision = (precision: Precision = 'f32'): string =>
  precision === 'f32' ? '' : `, ${precision}`;

/** Writes each finding at once, so that nothing is lost when a driver crashes the process; what the file has already is left out. */
export function tellTo(file: string): Tell {
  const before = findingsIn(file);
  const told = new Set(before.map(({ what }) => what));
  const line = (finding: Finding): string => `${JSON.stringify(finding)}\n`;
  // Without a last line that was cut off.
  writeFileSync(file, before.map(line).join(''));
  const tell = (finding: Finding): void => {
    if (!told.has(finding.what)) appendFileSync(file, line(finding));
  };
  return Object.assign(tell, { told });
}

/** The findings of a part; a last line that was cut off is ignored. */
export function findingsIn(file: string): Finding[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Finding);
}
