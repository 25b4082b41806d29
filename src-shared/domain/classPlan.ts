/** How class pictures are made: how many, and in how many denoising steps each. */
export interface ClassPlan {
  readonly classImages: number;
  readonly classSteps: number;
}

/** The seed's own. */
export const usualSteps = 25;
/** Enough for DPM-Solver++ (Lu et al. 2022); of a model that was made for few steps (LCM), fewer do. */
export const quickSteps = 12;
export const fewSteps = 4;

/** Seconds that nobody minds waiting for the usual pictures, and that fewer and quicker ones may take. */
const patience = 30 * 60;
const most = 60 * 60;
/** With fewer, training sees the same ones too often to keep a class by them. */
const least = 40;

/**
 * A cheaper plan where the usual one would take longer than half an hour: fewer steps a picture, and as many pictures as an hour allows,
 * at least 40. Undefined where there is no need. `seconds`: of one picture as it is planned now.
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
