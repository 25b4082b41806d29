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

/**
 * Shares of the time: a part may take its own of what is left, and passes on what it does not take. Without a look at the device there is
 * nothing to check: a driver in software compiles for a minute before it computes.
 */
const shares: Readonly<Record<CheckPart, number>> = {
  device: 15,
  mini: 6,
  picture: 2,
  half: 5,
  'tiny-speed': 7,
  sd1: 6,
  'sd1-speed': 7,
  'sd1-picture': 4,
  tiny: 5,
  sd2: 5,
};

/** Seconds that the first of `parts` may take where `left` remain for all of them. */
export function secondsFor(parts: readonly CheckPart[], left: number): number {
  const [first] = parts;
  const all = parts.reduce((sum, part) => sum + shares[part], 0);
  return first ? (left * shares[first]) / all : 0;
}

export interface GpuCheckRequest {
  /** The page's file. */
  readonly out: string;
  /** What is checked; the fastest that gives the CPU's numbers when left out. */
  readonly provider: Exclude<Provider, 'cpu'> | undefined;
  /** Narrow networks in place of the published shapes, which would take software drivers hours: those get them by themselves. */
  readonly small: boolean;
  /** For all parts together; one that takes more than its share is ended (`secondsFor`). */
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
