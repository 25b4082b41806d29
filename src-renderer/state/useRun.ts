import type { Run } from '../../src-shared/domain/run.ts';
import { generation } from './generation.svelte.ts';
import { learnsToo, nameOf, namesOf } from './learnt.ts';
import { subjects } from './subjects.svelte.ts';
import { training } from './training.svelte.ts';

/** Prepares the Generate form for a run: its LoRA, its base model, and a first prompt that names its subject. */
export function useRun(run: Run, step: number | null): void {
  const { draft } = generation;
  draft.modelId = run.modelId;
  draft.loras = [{ runId: run.id, step, weight: 1 }];
  draft.gridSteps = [];
  if (namesOf(run).some((name) => draft.prompt.includes(name))) return;
  const { current } = subjects;
  draft.prompt = `a photo of ${nameOf(current && learnsToo(run, current) ? current : run.settings)}`;
}

/**
 * Switches to another subject: the Generate form takes its latest run, and the prompt its name. A mix of several subjects is left
 * as it is.
 */
export function switchSubject(id: number): void {
  const before = subjects.current;
  subjects.choose(id);
  const subject = subjects.current;
  const { draft } = generation;
  if (!subject || subject.id === before?.id || draft.loras.length > 1) return;
  const [chosen] = draft.loras;
  const known = training.byId(chosen?.runId);
  const both =
    known && (known.subjectId === subject.id ? known.settings.otherSubjects : learnsToo(known, subject));
  if (known?.subjectId === subject.id && !both) return;
  if (before) draft.prompt = draft.prompt.replaceAll(nameOf(before), nameOf(subject));
  if (both) return;
  const run = training.ofSubject(subject.id).find(({ checkpoints }) => checkpoints > 0);
  draft.gridSteps = [];
  draft.loras = run ? [{ runId: run.id, step: run.pickedStep, weight: 1 }] : [];
  if (run) draft.modelId = run.modelId;
}
