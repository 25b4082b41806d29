import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { temporaryFolder } from '../../engine/checkpoints/leftovers.ts';
import { loadPicture } from '../../engine/pictures/pictures.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import { generate } from '../generation/generate.ts';
import { LikenessMeter } from '../generation/likenessMeter.ts';
import { generateDefaults } from '../generation/request.ts';
import type { GuidanceReceipt } from '../../../src-shared/domain/receipt.ts';
import type { TitledPicture } from '../export/proof.ts';
import { comparedPrompts } from './request.ts';
import type { Distilled } from './distillGuidance.ts';

/** The recording has seeds from 40,000 on. */
const seed = 7;

export interface Comparison {
  readonly receipt: GuidanceReceipt;
  /** Of the first prompt. */
  readonly pictures: readonly TitledPicture[];
}

/**
 * Draws the same prompts and seeds as the run does here, with plain guidance before the distillation, and with it after, and measures how
 * much each shows the subject of the photos. Errors: those of `generate`.
 */
export async function compareGuidance(
  path: string,
  { run, step, guided, prompts }: Distilled,
  { scale, mobileNet }: { readonly scale: number; readonly mobileNet?: string | undefined },
  { report, signal }: JobContext,
  version: string,
): Promise<Comparison> {
  const { settings } = new RunFolder(path).describe();
  const { photos } = settings;
  const wanted = prompts.slice(0, comparedPrompts);
  const meter =
    photos === undefined || mobileNet === undefined
      ? undefined
      : await LikenessMeter.open({ photos, mobileNet }).catch(() => undefined);
  if (!meter)
    report({
      type: 'note',
      message: `The photos of this run can't be read (${photos ?? 'none'}), so likeness was not measured.`,
    });
  const plain = { guidance: scale, baseGuidance: 0, guidanceStop: 1 };
  const before = new RunFolder(path).checkpointPath(step);
  const ways = [
    { name: 'run', title: 'the run, here', lora: before, guidance: guided },
    { name: 'before', title: `plain ${scale}, before`, lora: before, guidance: plain },
    { name: 'after', title: `plain ${scale}, distilled`, lora: run, guidance: plain },
  ] as const;
  const folder = temporaryFolder('guidance');
  const likeness: Partial<Record<(typeof ways)[number]['name'], number>> = {};
  const pictures: TitledPicture[] = [];
  try {
    for (const [at, { name, title, lora, guidance }] of ways.entries()) {
      const { images } = await generate(
        {
          ...{ ...generateDefaults, ...guidance, prompts: wanted, out: join(folder, name), seed },
          ...{ model: settings.model, loras: [{ path: lora, weight: 1 }], provider: settings.provider },
          ...(settings.prediction && { prediction: settings.prediction }),
          size: { width: settings.size, height: settings.size },
        },
        {
          report: (event) => {
            if (event.type !== 'progress') return;
            const [done, total] = [at * wanted.length + event.done, ways.length * wanted.length];
            report({ type: 'progress', done, total, label: 'comparing' });
          },
          signal,
        },
        version,
      );
      if (images[0]) pictures.push({ title, picture: await loadPicture(images[0].path) });
      if (!meter) continue;
      let sum = 0;
      for (const image of images) sum += await meter.of(image.path);
      likeness[name] = sum / images.length;
    }
  } finally {
    await meter?.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
  const { run: here, before: untouched, after } = likeness;
  const measured =
    here === undefined || untouched === undefined || after === undefined
      ? null
      : { run: here, before: untouched, after };
  return { receipt: { scale, guided, prompts: wanted, likeness: measured }, pictures };
}
