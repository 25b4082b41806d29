import type { Provider } from '../../../src-shared/domain/providers.ts';

/** The parts of the check, the most useful first, as time may run out. */
export const checkParts = [
  'device',
  'mini',
  'picture',
  'half',
  'tiny-speed',
  'sd1',
  'sd1-speed',
  'sd1-picture',
  'tiny',
  'sd2',
] as const;
export type CheckPart = (typeof checkParts)[number];

export interface GpuCheckRequest {
  /** The page's file. */
  readonly out: string;
  /** What is checked; the fastest that gives the CPU's numbers when left out. */
  readonly provider: Exclude<Provider, 'cpu'> | undefined;
  /** Narrow networks in place of the published shapes, which would take software drivers hours. */
  readonly small: boolean;
  /** Seconds after which no part begins, and a running one is ended. */
  readonly seconds: number;
  readonly parts: readonly CheckPart[];
}

/** One part, in a process of its own. */
export interface CheckPartRequest {
  readonly part: CheckPart;
  /** Findings are added to this file, a line of JSON each. */
  readonly findings: string;
  readonly provider: Exclude<Provider, 'cpu'> | undefined;
  readonly small: boolean;
}
