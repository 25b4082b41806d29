import type { JobKind } from '../../src-shared/domain/job.ts';
import type { JobContext } from '../../src-shared/domain/jobEvents.ts';
import type { WorkerEvent } from '../../src-shared/domain/workerMessages.ts';
import type { Report } from '../features/inspect/inspect.ts';
import type { WarmModel } from '../features/generation/warmModel.ts';
import { checkLock } from '../features/modelLock.ts';
import type { Prepare, ResultOf, Start, TaskOf } from '../features/tasks.ts';

export interface TaskContext extends Omit<JobContext, 'report'> {
  readonly report: (event: WorkerEvent) => void;
}

/** The work of each kind of job: the command line's features, loaded when they are needed. */
const tasks: { readonly [K in JobKind]: (task: TaskOf<K>, context: TaskContext) => Promise<ResultOf<K>> } = {
  train: async ({ version, ...task }, context) => {
    if ('rerun' in task) {
      const { rerun } = await import('../features/training/rerun.ts');
      return rerun(task.rerun, context, version);
    }
    if (task.until) {
      const { trainUntilBest } = await import('../features/score/trainUntilBest.ts');
      return trainUntilBest(task.request, task.until, context, version);
    }
    const { finetune } = await import('../features/training/finetune.ts');
    return finetune(task.request, context, version);
  },
  measure: async ({ request, version }, context) => {
    const { dryRun } = await import('../features/training/dryRun.ts');
    return dryRun(request, context, version);
  },
  generate: async (task, context) => {
    const { generateParts } = await import('../features/generation/generateParts.ts');
    await generateParts(task, context, await warmModel());
    return undefined;
  },
  score: async (task, context) => {
    const { score } = await import('../features/score/score.ts');
    return score(task, context);
  },
  influence: async (task, context) => {
    const { influence } = await import('../features/influence/influence.ts');
    return influence(task, context);
  },
  evaluate: async (task, context) => {
    if ('dreambooth' in task) {
      const { dreamboothProtocol } = await import('../features/dreambooth/protocol.ts');
      return (await dreamboothProtocol(task.dreambooth, context, task.version)).figures;
    }
    const { setTable, subjectTable } = await import('../features/evaluation/table.ts');
    if ('set' in task) {
      const { evaluateSet } = await import('../features/evaluation/set.ts');
      return setTable(await evaluateSet(task.set, context));
    }
    const { evaluateSubject } = await import('../features/evaluation/subject.ts');
    return subjectTable(await evaluateSubject(task.subject, context));
  },
  export: async ({ request, version }, context) => {
    const { exportGuided } = await import('../features/guidance/exportGuided.ts');
    return exportGuided(request, context, version);
  },
  import: ({ path }) => lookAt(path),
  advise: async (task, context) => {
    const { compress } = await import('../features/compression/compress.ts');
    await compress(task, context);
    return undefined;
  },
  compress: async (task, context) => {
    const { compress } = await import('../features/compression/compress.ts');
    return lookAt((await compress(task, context)).path);
  },
  distill: async ({ run, out, version, settings }, context) => {
    const { distill } = await import('../features/distillation/distill.ts');
    const { exportRun } = await import('../features/export/export.ts');
    await distill({ out: run, resume: true, settings }, context, version);
    await exportRun({ run, out, format: 'diffusers', transformers: 4 }, context);
    return lookAt(out);
  },
  download: async (task, context) => {
    const { download } = await import('../features/download/download.ts');
    return lookAt((await download(task, context)).path);
  },
};

let models: Promise<WarmModel> | undefined;

/** The model that draws, kept for as long as the process lives. */
function warmModel(): Promise<WarmModel> {
  models ??= import('../features/generation/warmModel.ts').then(({ WarmModel: Kept }) => new Kept());
  return models;
}

/** Opens what the task will need. Errors: those of drawing. */
export async function prepare({ task }: Prepare, signal: AbortSignal): Promise<void> {
  const { prepareParts } = await import('../features/generation/generateParts.ts');
  await prepareParts(task, await warmModel(), signal);
}

/** Does one task of the contract. Errors: `model.changed`, those of its feature. */
export async function perform<K extends JobKind>(
  { kind, task, locks }: Start<K>,
  context: TaskContext,
): Promise<ResultOf<K>> {
  for (const lock of locks) checkLock(lock);
  return tasks[kind](task, context);
}

/** Inspects a model; throws if it would not work. */
async function lookAt(path: string): Promise<Report> {
  const { inspect } = await import('../features/inspect/inspect.ts');
  const { report, fatal } = await inspect(path);
  if (fatal) throw fatal;
  return report;
}
