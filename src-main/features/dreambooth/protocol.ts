import { join } from 'node:path';
import type { EvaluationTable } from '../../../src-shared/domain/evaluation.ts';
import { fromJson } from '../../../src-shared/domain/fromJson.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { isFile, makeFolder, readText } from '../../engine/checkpoints/files.ts';
import { ownGuidance } from '../../engine/checkpoints/ownGuidance.ts';
import { writeAtomically } from '../../engine/checkpoints/writeSafetensors.ts';
import { passesPerStep } from '../../engine/training/run/plan.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import { evaluateSubject } from '../evaluation/subject.ts';
import { generate } from '../generation/generate.ts';
import { generateDefaults } from '../generation/request.ts';
import { modelFor } from '../generation/runs.ts';
import { kindOf, promptLists } from '../score/prompts.ts';
import { finetune } from '../training/finetune.ts';
import type { DreamboothRequest } from './request.ts';
import { scoresType, type SubjectResult } from './scores.ts';
import { subjectsIn, type Subject } from './subjects.ts';
import { figuresOf, tableOf } from './table.ts';

export interface DreamboothResult {
  readonly out: string;
  readonly subjects: readonly SubjectResult[];
  readonly figures: EvaluationTable;
  /** Files. */
  readonly table: string;
  readonly csv: string;
}

/**
 * DreamBooth's evaluation (Ruiz et al. 2023, section 4.2): a finetune of every subject, 25 prompts each, DINO, CLIP-I and CLIP-T,
 * and their means in a table. Continues what an earlier call left in `out`. Errors: `dreambooth.…`, those of the features.
 */
export async function dreamboothProtocol(
  request: DreamboothRequest,
  context: JobContext,
  version: string,
): Promise<DreamboothResult> {
  const { out } = request;
  const subjects = subjectsIn(request.subjects);
  makeFolder(out);
  const results: SubjectResult[] = [];
  const reportOf = overAll(subjects.length, request, context.report);
  for (const [i, subject] of subjects.entries()) {
    const message = `Subject ${i + 1} of ${subjects.length}: ${subject.name}, a ${subject.classNoun}`;
    context.report({ type: 'note', message });
    const whole = { report: reportOf(i), signal: context.signal };
    results.push(await resultOf(subject, request, whole, version));
    context.signal.throwIfAborted();
  }
  const { table, csv } = tableOf(results);
  const files = { table: join(out, 'table.md'), csv: join(out, 'table.csv') };
  writeAtomically(files.table, () => [Buffer.from(table)]);
  writeAtomically(files.csv, () => [Buffer.from(csv)]);
  return { out, subjects: results, figures: figuresOf(results), ...files };
}

/** Each subject's finetune and pictures, as one plan of all subjects. */
function overAll(
  subjects: number,
  { settings, fallbackModel, count, drawSteps }: DreamboothRequest,
  report: JobContext['report'],
): (subject: number) => JobContext['report'] {
  const guidance = ownGuidance(settings.model ?? fallbackModel, 'subject');
  const drawing = {
    label: 'pictures',
    total: promptLists.dreambooth.object.length * count,
    weight: drawSteps * passesPerStep(guidance),
  };
  let planned = false;
  return (subject) => (event) => {
    if (event.type === 'progress')
      report({ ...event, done: subject * event.total + event.done, total: subjects * event.total });
    else if (event.type !== 'plan') report(event);
    else if (!planned) {
      planned = true;
      const phases = [...event.phases, drawing].map((one) => ({ ...one, total: subjects * one.total }));
      report({ type: 'plan', phases });
    }
  };
}

async function resultOf(
  subject: Subject,
  request: DreamboothRequest,
  context: JobContext,
  version: string,
): Promise<SubjectResult> {
  const folder = join(request.out, subject.name);
  const file = join(folder, 'scores.json');
  const { settings, count, drawSteps, clip, dino, mobileNet, provider } = request;
  const asked = JSON.stringify([settings, count, drawSteps, clip, dino]);
  const known = isFile(file) ? scoresType.safeParse(fromJson(readText(file))).data : undefined;
  if (known?.asked === asked) return known;

  makeFolder(folder);
  const run = join(folder, 'run');
  await trainedRun(run, subject, request, context, version);
  const { pictures, prompts } = await drawnPictures(folder, run, subject, request, context, version);
  const measured = { photos: subject.photos, images: pictures, prompts, clip, dino, mobileNet, provider };
  const scores = await evaluateSubject(measured, context);
  const { name, classNoun } = subject;
  const result = { subject: name, classNoun, ...scores, asked };
  writeAtomically(file, () => [Buffer.from(`${JSON.stringify(result, null, 2)}\n`)]);
  return result;
}

/** Trains the subject's run to its end, unless it is there already. */
async function trainedRun(
  out: string,
  { photos, classNoun }: Subject,
  { settings: asked, fallbackModel }: DreamboothRequest,
  context: JobContext,
  version: string,
): Promise<void> {
  if (RunFolder.exists(out)) {
    const run = new RunFolder(out);
    const { steps } = run.describe().settings;
    if (run.checkpointSteps().at(-1) === steps && (asked.steps ?? steps) === steps) return;
  }
  const settings = { ...asked, photos, classNoun };
  await finetune({ out, resume: true, fallbackModel, settings }, context, version);
}

async function drawnPictures(
  folder: string,
  run: string,
  { classNoun }: Subject,
  { count, drawSteps, fallbackModel, provider }: DreamboothRequest,
  context: JobContext,
  version: string,
): Promise<{ readonly pictures: string; readonly prompts: string }> {
  const { settings } = new RunFolder(run).describe();
  const loras = [{ path: run, weight: 1 }];
  const prompts = promptLists.dreambooth[kindOf(classNoun)].map((prompt) =>
    prompt.replace('{}', `${settings.token} ${classNoun}`),
  );
  const pictures = join(folder, 'pictures');
  const request = {
    ...generateDefaults,
    ...{ model: modelFor(loras, fallbackModel) ?? fallbackModel, loras, out: pictures, prompts },
    ...{ names: prompts.map((_, i) => String(i + 1).padStart(2, '0')), count, steps: drawSteps, seed: 0 },
    ...{ resume: true, provider },
  };
  await generate(request, context, version);
  const list = join(folder, 'prompts.txt');
  const lines = prompts.flatMap((prompt) => Array<string>(count).fill(prompt));
  writeAtomically(list, () => [Buffer.from(lines.map((line) => `${line}\n`).join(''))]);
  return { pictures, prompts: list };
}
