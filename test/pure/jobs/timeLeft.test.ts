import { expect, it } from 'vitest';
import { TimeLeft } from '../../../src-shared/domain/timeLeft.ts';

it('knows nothing before there is a pace, and nothing once a phase is over', () => {
  const estimate = new TimeLeft();
  expect(estimate.secondsLeft('reading pictures', 0, 5, 0)).toBeNull();
  expect(estimate.secondsLeft('reading pictures', 4, 5, 4)).toBe(1);
  expect(estimate.secondsLeft('reading pictures', 5, 5, 5)).toBeNull();
  // The next phase begins without the pace of the one before.
  expect(estimate.secondsLeft('steps', 0, 240, 6)).toBeNull();
  expect(estimate.secondsLeft('steps', 1, 240, 8)).toBe(2 * 239);
});

it('is not thrown by one slow step: the time left stays within a third of what it was', () => {
  const estimate = new TimeLeft();
  let now = 0;
  estimate.secondsLeft('steps', 0, 200, now);
  for (let step = 1; step <= 50; step += 1) estimate.secondsLeft('steps', step, 200, (now += 1));
  // A checkpoint and a sample are made within this step.
  const after = estimate.secondsLeft('steps', 51, 200, (now += 3)) ?? NaN;
  expect(after).toBeGreaterThan(149);
  expect(after).toBeLessThan(149 * 1.5);
});

it('follows a machine that becomes slower', () => {
  const estimate = new TimeLeft();
  let now = 0;
  estimate.secondsLeft('steps', 0, 1000, now);
  for (let step = 1; step <= 100; step += 1) estimate.secondsLeft('steps', step, 1000, (now += 1));
  for (let step = 101; step <= 130; step += 1) estimate.secondsLeft('steps', step, 1000, (now += 2));
  expect(estimate.secondsLeft('steps', 131, 1000, now + 2)).toBeGreaterThan(1.9 * 869);
});
