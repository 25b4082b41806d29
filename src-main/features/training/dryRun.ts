import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { usualSteps } from '../../../src-shared/domain/classPlan.ts';
import { type AskedFinetune, finetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import type { JobContext, JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import { temporaryFolder } from '../../engine/checkpoints/leftovers.ts';
import { matmulSpeed } from '../../engine/runtime/matmulSpeed.ts';
import { peakMemory } from '../../engine/runtime/peakMemory.ts';
import { providerFor } from '../../engine/runtime/session.ts';
import { DeviceUsage } from '../../engine/runtime/memoryInUse.ts';
import { finetune } from '../../engine/training/run/finetune.ts';

/** What a dry run of a finetune took. */
export interface DryRunFigures {
  /** Seconds before the first step, class pictures not counted. */
  readonly setup: number;
  readonly secondsPerStep: number;
  /** Of one picture, a class picture or a sample, in the usual steps. */
  readonly secondsPerPicture: number;
  /** The most bytes of memory at a time: of the graphics device that computes, as far as the system tells, else of this process. */
  readonly bytes: number;
  /** GFLOP/s of a large matrix product, where the CPU computes: larger models come nearer to it. */
  readonly gflops?: number | undefined;
}

export interface DryRunRequest {
  /** Complete, with model and photos; the length does not matter. */
  readonly settings: AskedFinetune & { readonly model: string; readonly size: number };
}

/** The first step warms up. */
const steps = 4;

/**
 * A real finetune of a few steps into a temporary folder. Measures how long the start, a step and a picture take, and the
 * memory of the device or of this process, which must be a fresh one. Errors: those of `finetune`.
 */
export async function dryRun(
  { settings }: DryRunRequest,
  { report, signal }: JobContext,
  version: string,
): Promise<DryRunFigures> {
  // A device that is short of memory is to say so: the CPU would tell nothing of it.
  const provider = await providerFor(settings.provider ?? 'auto');
  const device = provider === 'cpu' ? undefined : await DeviceUsage.begin();
  const folder = temporaryFolder('dry-run');
  const prior = settings.prior && { ...settings.prior, classImages: 1, classSteps: usualSteps };
  const begun = performance.now();
  const marks: { readonly event: JobEvent; readonly at: number }[] = [];
  const heard = (event: JobEvent): void => {
    marks.push({ event, at: (performance.now() - begun) / 1000 });
    if (event.type === 'step') device?.look();
    if (event.type === 'plan' || event.type === 'progress') report(event);
  };
  try {
    await finetune(
      {
        settings: completeSettings(
          finetuneSettings,
          // Without a prior no class picture is made, so the sample before the first step stands for it.
          {
            ...settings,
            ...{ provider, ...(prior && { prior }) },
            ...{ steps, accumulate: 1, checkpointEvery: steps, sampleEvery: prior ? null : steps + 1 },
          },
          { model: settings.model, size: settings.size },
        ),
        out: join(folder, 'run'),
        version,
        cache: join(folder, 'cache'),
      },
      { report: heard, signal },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const bytes = (await device?.most()) ?? peakMemory();
  const found = { ...figures(marks), bytes };
  return provider === 'cpu' ? { ...found, gflops: await matmulSpeed() } : found;
}

function figures(
  marks: readonly { readonly event: JobEvent; readonly at: number }[],
): Omit<DryRunFigures, 'bytes'> {
  const at = (wanted: (event: JobEvent) => boolean): number | undefined =>
    marks.find(({ event }) => wanted(event))?.at;
  const seconds = marks.flatMap(({ event }) => (event.type === 'step' ? [event.seconds] : []));
  const [first = 0, ...others] = seconds;
  const classPicture = at(
    (event) => event.type === 'progress' && event.label === 'class pictures' && event.done >= event.total,
  );
  const begun = at((event) => event.type === 'progress' && event.label === 'samples');
  const sample = at(({ type }) => type === 'sample');
  const picture = classPicture ?? (sample === undefined || begun === undefined ? 0 : sample - begun);
  const firstStep = at(({ type }) => type === 'step') ?? 0;
  return {
    setup: Math.max(0, firstStep - first - picture),
    secondsPerStep:
      others.length > 0 ? (others.sort((a, b) => a - b)[Math.floor(others.length / 2)] as number) : first,
    secondsPerPicture: picture,
  };
}
