import { expect, it } from 'vitest';
import { cheaperPlan } from '../../../src-shared/domain/classPlan.ts';

const usual = { classImages: 200, classSteps: 25 };

it('leaves the usual class pictures alone where they take minutes', () => {
  expect(cheaperPlan(usual, 8.9)).toBeUndefined();
  expect(cheaperPlan({ classImages: 12, classSteps: 25 }, 120)).toBeUndefined();
});

it('makes fewer in fewer steps where they would take hours, an hour of them at most', () => {
  // Stable Diffusion 1 on two cores: 6.7 h.
  const plan = cheaperPlan(usual, 120);
  expect(plan).toEqual({ classImages: 60, classSteps: 12 });
  expect(((plan?.classImages ?? 0) * 120 * 12) / 25 / 3600).toBeLessThanOrEqual(1);
  // Quick steps alone may do.
  expect(cheaperPlan(usual, 20)).toEqual({ classImages: 200, classSteps: 12 });
});

it('makes 40 at least, and never more than were wanted, nor more steps', () => {
  expect(cheaperPlan(usual, 1000)).toEqual({ classImages: 40, classSteps: 12 });
  expect(cheaperPlan({ classImages: 30, classSteps: 25 }, 1000)).toEqual({ classImages: 30, classSteps: 12 });
  expect(cheaperPlan({ classImages: 200, classSteps: 4 }, 100)).toEqual({ classImages: 40, classSteps: 4 });
  expect(cheaperPlan({ classImages: 30, classSteps: 4 }, 1000)).toBeUndefined();
});
