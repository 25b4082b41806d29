import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { WorkerEvent } from '../../../src-shared/domain/workerMessages.ts';
import { generate } from './generate.ts';
import { LikenessMeter, type LikenessRequest } from './likenessMeter.ts';
import type { GenerateRequest } from './request.ts';

/** Pictures of several mixes, one request after the other. */
export interface GenerateTask {
  /** Each with the index of its first picture. */
  readonly parts: readonly {
    readonly first: number;
    readonly request: GenerateRequest;
    /** Of the subject that is drawn, if it is one's. */
    readonly likeness?: LikenessRequest;
  }[];
  readonly total: number;
  readonly version: string;
}

type Report = (event: WorkerEvent) => void;

/** Tells each picture, its preview, and how much it looks like the subject. Errors: those of `generate`. */
export async function generateParts(
  { parts, total, version }: GenerateTask,
  { report, signal }: Omit<JobContext, 'report'> & { readonly report: Report },
): Promise<void> {
  for (const { first, request, likeness } of parts) {
    let index = first;
    const measure = likeness && (await likenessOf(likeness, report));
    // Pictures of one part of the task; told as pictures of the whole.
    const inWhole: Report = (event) =>
      report(event.type === 'progress' ? { ...event, done: first + event.done, total } : event);
    await generate(request, { report: inWhole, signal }, version, {
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

/** Measures pictures one after the other, beside the next one's making. What can't be measured (no photo left) is none. */
async function likenessOf(
  request: LikenessRequest,
  report: Report,
): Promise<{ take: (index: number, path: string) => void; end: () => Promise<void> } | undefined> {
  const meter = await LikenessMeter.open(request).catch(() => undefined);
  if (!meter) return undefined;
  let measuring = Promise.resolve();
  return {
    take: (index, path) => {
      measuring = measuring
        .then(async () => report({ type: 'likeness', index, value: await meter.of(path) }))
        .catch(() => undefined);
    },
    end: async () => {
      await measuring;
      await meter.dispose();
    },
  };
}
