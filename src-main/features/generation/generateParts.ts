import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { WorkerEvent } from '../../../src-shared/domain/workerMessages.ts';
import { upscale, type UpscaleTask } from '../upscale.ts';
import { requestFromRecipe, type SaidWithRecipe } from './fromRecipe.ts';
import { generate, warmUp } from './generate.ts';
import { LikenessMeter, type LikenessRequest } from './likenessMeter.ts';
import type { GenerateRequest } from './request.ts';
import { selectPictures, type Selection } from './selectPictures.ts';
import type { Opener } from './warmModel.ts';

/** Pictures of several mixes, one request after the other. */
export interface GenerateTask {
  /** Each with the index of its first picture. */
  readonly parts: readonly {
    readonly first: number;
    readonly request: GenerateRequest;
    /** Measures the likeness to the drawn subject, if there is one. */
    readonly likeness?: LikenessRequest;
    /** Many are drawn, and those most like the subject kept. */
    readonly select?: Selection['by'];
  }[];
  /** In place of parts: a picture that is made again by its recipe. */
  readonly again?: {
    readonly file: string;
    readonly said: SaidWithRecipe;
    readonly likeness?: LikenessRequest;
  };
  /** In place of parts: a larger copy of one picture. */
  readonly enlarge?: UpscaleTask;
  readonly total: number;
  readonly version: string;
}

type Report = (event: WorkerEvent) => void;

/** Tells each picture, its preview, and how much it looks like the subject. Errors: those of `generate`. */
export async function generateParts(
  { parts: asked, again, enlarge, total, version }: GenerateTask,
  { report, signal }: Omit<JobContext, 'report'> & { readonly report: Report },
  models?: Opener,
): Promise<void> {
  if (enlarge) {
    await upscale(enlarge, { report, signal }, ({ path }) => report({ type: 'picture', index: 0, path }));
    return;
  }
  const parts = again ? [await partOf(again)] : asked;
  report({
    type: 'plan',
    phases: [
      { label: 'opening the model', total: 1, weight: 0 },
      { label: 'pictures', total, weight: 1 },
    ],
  });
  report({ type: 'progress', done: 0, total: 1, label: 'opening the model' });
  let triedBefore = 0;
  for (const { first, request, likeness, select } of parts) {
    let index = first;
    const measure = likeness && likenessOf(likeness, request.over?.mask, report);
    // Reports pictures of one part as pictures of the whole task.
    const inWhole: Report = (event) =>
      report(event.type === 'progress' ? { ...event, done: first + event.done, total } : event);
    if (select && likeness) {
      const { tried } = await selectPictures(
        request,
        { by: select, likeness },
        { report: inWhole, signal },
        version,
        {
          ...(models && { models }),
          onTried: (now, kept) => report({ type: 'tried', tried: triedBefore + now, kept: first + kept }),
          onKept: ({ path, likeness: value }) => {
            report({ type: 'picture', index, path });
            report({ type: 'likeness', index: index++, value });
          },
        },
      );
      triedBefore += tried;
      continue;
    }
    await generate(request, { report: inWhole, signal }, version, {
      ...(models && { models }),
      onMade: ({ path }) => {
        report({ type: 'picture', index, path });
        measure?.take(index, path);
        index++;
      },
      onPreview: (event) => report({ ...event, index: first + event.index }),
    });
    await measure?.end();
  }
}

async function partOf({
  file,
  said,
  likeness,
}: NonNullable<GenerateTask['again']>): Promise<GenerateTask['parts'][number]> {
  return { first: 0, request: await requestFromRecipe(file, said), ...(likeness && { likeness }) };
}

/** Prepares `models` for the first part of a task. Errors: those of `generate`. */
export async function prepareParts(
  { parts: [first] }: GenerateTask,
  models: Opener,
  signal: AbortSignal,
): Promise<void> {
  if (first) await warmUp(first.request, models, signal);
}

/**
 * Measures each picture while the next one is made; one that can't be measured (no photo left) has no figure. The meter is opened
 * with the first picture, so that the first preview does not wait for it.
 */
function likenessOf(
  request: LikenessRequest,
  mask: string | undefined,
  report: Report,
): { take: (index: number, path: string) => void; end: () => Promise<void> } {
  let opened: Promise<LikenessMeter> | undefined;
  let measuring = Promise.resolve();
  return {
    take: (index, path) => {
      const meter = (opened ??= LikenessMeter.open(request));
      measuring = measuring
        .then(async () => report({ type: 'likeness', index, value: await (await meter).of(path, mask) }))
        .catch(() => undefined);
    },
    end: async () => {
      await measuring;
      await opened?.then((meter) => meter.dispose()).catch(() => undefined);
    },
  };
}
