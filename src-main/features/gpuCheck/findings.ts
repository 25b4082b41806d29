import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** A line of the page. */
export interface Finding {
  readonly what: string;
  readonly found: string;
  /** Whether it is as it must be; left out where nothing is asked. */
  readonly right?: boolean;
  /** The provider that all later parts check. */
  readonly provider?: string;
}

export type Tell = (finding: Finding) => void;

/** Writes each finding at once: what was found before a driver took the process with it is not lost. */
export function tellTo(file: string): Tell {
  return (finding) => appendFileSync(file, `${JSON.stringify(finding)}\n`);
}

/** What a part found; a last line that was cut off is left out. */
export function findingsIn(file: string): Finding[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Finding);
}
