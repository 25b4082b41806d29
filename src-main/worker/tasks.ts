import type { JobContext } from '../../src-shared/domain/jobEvents.ts';
import type { WorkerEvent } from '../../src-shared/domain/workerMessages.ts';
import type { DistillTask, GenerateTask, MeasureTask, TrainTask } from '../features/tasks.ts';
import type { CompressRequest } from '../features/compression/request.ts';
import type { ExportRequest } from '../features/export/request.ts';
import type { DownloadRequest } from '../features/download/download.ts';
import type { LikenessRequest } from '../features/score/likenessMeter.ts';
import type { ScoreRequest } from '../features/score/request.ts';

export interface TaskContext extends JobContext {
  readonly report: (event: WorkerEvent) => void;
}

/** What each kind of job does: the features that the command line has, loaded when they are needed. */
export const tasks: Readonly<
  Record<string, ((task: unknown, context: TaskContext) => Promise<unknown>) | undefined>
> = {
  train: async (task, context) => {
    const { finetune } = await import('../features/training/finetune.ts');
    const { request, version } = task as TrainTask;
    return finetune(request, context, version);
  },
  measure: async (task, context) => {
    const { dryRun } = await import('../features/training/dryRun.ts');
    const { request, version } = task as MeasureTask;
    return dryRun(request, context, version);
  },
  generate: async (task, context) => {
    const { generate } = await import('../features/generation/generate.ts');
    const { parts, total, version } = task as GenerateTask;
    for (const { first, request, likeness } of parts) {
      let index = first;
      const measure = likeness && (await likenessOf(likeness, context));
      // Steps of one part of the task; told as pictures of the whole.
      const report = (event: WorkerEvent): void => {
        if (event.type !== 'progress') return context.report(event);
        const pictures = request.prompts.length * request.count;
        context.report({ ...event, done: first + (event.done / event.total) * pictures, total });
      };
      await generate(request, { ...context, report }, version, {
        onMade: ({ path }) => {
          context.report({ type: 'picture', index, path });
          measure?.take(index, path);
          index++;
        },
        onPreview: (event) => context.report({ ...event, index: first + event.index }),
      });
      await measure?.end();
    }
    return {};
  },
  score: async (task, context) => {
    const { score } = await import('../features/score/score.ts');
    const { openRun } = await import('../features/export/openRun.ts');
    return score(task as ScoreRequest, openRun, context);
  },
  export: async (task, context) => {
    const { exportRun } = await import('../features/export/export.ts');
    return exportRun(task as ExportRequest, context);
  },
  import: (task) => lookAt((task as { path: string }).path),
  advise: async (task, context) => {
    const { compress } = await import('../features/compression/compress.ts');
    await compress(task as CompressRequest, context);
    return {};
  },
  compress: async (task, context) => {
    const { compress } = await import('../features/compression/compress.ts');
    return lookAt((await compress(task as CompressRequest, context)).path);
  },
  distill: async (task, context) => {
    const { distill } = await import('../features/distillation/distill.ts');
    const { exportRun } = await import('../features/export/export.ts');
    const { run, out, version, settings } = task as DistillTask;
    await distill({ out: run, resume: true, settings }, context, version);
    await exportRun({ run, out, format: 'diffusers', transformers: 4 }, context);
    return lookAt(out);
  },
  download: async (task, context) => {
    const { download } = await import('../features/download/download.ts');
    const { path } = await download(task as DownloadRequest, context);
    return lookAt(path);
  },
};

/** What a model is; one that would not work is refused. */
async function lookAt(path: string): Promise<unknown> {
  const { inspect } = await import('../features/inspect/inspect.ts');
  const { report, fatal } = await inspect(path);
  if (fatal) throw fatal;
  return report;
}

/** Measures pictures one after the other, beside the next one's making. What can't be measured (no photo left) is none. */
async function likenessOf(
  request: LikenessRequest,
  { report }: TaskContext,
): Promise<{ take: (index: number, path: string) => void; end: () => Promise<void> } | undefined> {
  const { LikenessMeter } = await import('../features/score/likenessMeter.ts');
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
