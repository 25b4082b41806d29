/** How class pictures are made: how many, and in how many denoising steps each. */
export interface ClassPlan {
  readonly classImages: number;
  readonly classSteps: number;
}

/** The usual number of steps. */
export const usualSteps = 25;
/** Enough for DPM-Solver++ (Lu et al. 2022); a model made for few steps (LCM) needs fewer. */
const quickSteps = 12;
export const fewSteps = 4;

/** Seconds that the usual pictures may take before a cheaper plan is made, and that such a plan may take. */
const patience = 30 * 60;
const most = 60 * 60;
/** With fewer, training sees the same pictures too often to keep the class. */
const least = 40;

/**
 * A cheaper plan where the usual one would take longer than half an hour: fewer steps per picture, and as many pictures as the
 * time allows, at least 40. Undefined if there is no need. `seconds`: for one picture of the usual plan.
 */
export function cheaperPlan({ classImages, classSteps }: ClassPlan, seconds: number): ClassPlan | undefined {
  if (classImages * seconds <= patience) return undefined;
  const steps = Math.min(classSteps, quickSteps);
  const each = (seconds * steps) / classSteps;
  const affordable = Math.floor(most / each / 10) * 10;
  const cheaper = {
    classImages: Math.min(classImages, Math.max(least, affordable)),
    classSteps: steps,
  };
  const same = cheaper.classImages === classImages && cheaper.classSteps === classSteps;
  return same ? undefined : cheaper;
}
