import { describe, expect, it } from 'vitest';
import { generateOptions } from '../../../src-main/cli/generateOptions.ts';
import { generateInputSchema } from '../../../src-shared/contract/generation.ts';
import { pictures } from '../../pictureRequest.ts';

/** Each figure both ways: as an option's words, and in a request of the studio. */
const figures: Record<string, readonly [words: (x: number) => string, asked: (x: number) => object]> = {
  steps: [String, (steps) => ({ steps })],
  guidance: [String, (guidance) => ({ guidance })],
  baseGuidance: [String, (baseGuidance) => ({ baseGuidance })],
  guidanceStop: [String, (guidanceStop) => ({ guidanceStop })],
  seed: [String, (seed) => ({ seed })],
  count: [String, (count) => ({ count })],
  bestOf: [String, (bestOf) => ({ select: { bestOf } })],
  untilLike: [String, (untilLike) => ({ select: { untilLike } })],
  size: [(side) => `${side}x${side}`, (side) => ({ size: { width: side, height: side } })],
  lora: [(weight) => `run:${weight}`, (weight) => ({ mixes: [[{ runId: 1, step: null, weight }]] })],
  clipSkip: [String, (clipSkip) => ({ clipSkip })],
  strength: [
    String,
    (strength) => ({ over: { original: '0123456789abcdef', mask: null, strength, maskPadding: null } }),
  ],
  maskPadding: [
    String,
    (maskPadding) => ({ over: { original: '0123456789abcdef', mask: null, strength: 1, maskPadding } }),
  ],
};
const tried = [
  ...[-1000, -101, -100, -4.5, -1, 0, 0.005, 0.5, 1, 1.01, 2, 7, 8, 12, 64, 100, 101, 104],
  ...[1000, 1001, 2048, 4096, 4104, 10_000, 10_001, 100_000, 100_001, 2 ** 32, 2 ** 53],
];

describe('the command line and the studio', () => {
  it.each(Object.entries(figures))('take the same figures for %s', (name, [words, asked]) => {
    const option = generateOptions[name as keyof typeof generateOptions];
    const takes = (value: number): boolean => {
      try {
        option.read([words(value)], `--${name}`);
        return true;
      } catch {
        return false;
      }
    };
    const [line, studio] = [
      takes,
      (x: number) => generateInputSchema.safeParse(pictures(asked(x))).success,
    ].map((accepts) => tried.filter(accepts));
    expect(studio).toEqual(line);
    expect(line?.length).toBeGreaterThan(1);
    expect(line?.length).toBeLessThan(tried.length);
  });
});
