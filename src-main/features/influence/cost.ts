import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FinetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import type { InfluenceCost } from '../../../src-shared/domain/photoInfluence.ts';
import { influenceDefaults, type InfluenceRequest } from './request.ts';
import { plural } from '../../../src-shared/plural.ts';

/** Forward passes of a training step: forward, and backward as two. */
const stepPasses = 3;

/** What looking for photos that hurt takes, for a run with these settings and so many photos. */
export function costOf(
  { run, steps: asked, noises }: Pick<InfluenceRequest, 'run' | 'steps' | 'noises'>,
  settings: FinetuneSettings,
  photos: number,
): InfluenceCost {
  const steps = asked ?? Math.min(influenceDefaults.steps, settings.steps);
  const runs = photos + 1;
  const perStep = secondsPerStep(run);
  const rows = settings.batch * settings.accumulate * (settings.prior ? 2 : 1);
  const looks = (photos + 2) * photos * noises;
  const stepsAlike = runs * steps + looks / (stepPasses * rows);
  return { runs, steps, seconds: perStep === undefined ? null : perStep * stepsAlike };
}

/** The median of the run's own steps. */
function secondsPerStep(run: string): number | undefined {
  const file = join(run, 'log.jsonl');
  if (!existsSync(file)) return undefined;
  const seconds = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => /"seconds":([\d.e-]+)/.exec(line)?.[1] ?? [])
    .map(Number)
    .filter((value) => value > 0)
    .sort((a, b) => a - b);
  return seconds[Math.floor(seconds.length / 2)];
}

export function costInWords({ runs, steps, seconds }: InfluenceCost): string {
  const minutes = Math.ceil((seconds ?? 0) / 60);
  const time =
    seconds === null ? '' : `, about ${plural(minutes, 'minute', 'minutes')} by the run's own steps`;
  return `${plural(runs, 'short run', 'short runs')} of ${plural(steps, 'step', 'steps')} each${time}. What is done is kept, so you can stop and go on later.`;
}
