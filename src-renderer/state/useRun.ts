import type { Run } from '../../src-shared/domain/run.ts';
import type { Subject } from '../../src-shared/domain/subject.ts';
import { generation } from './generation.svelte.ts';
import { subjects } from './subjects.svelte.ts';
import { training } from './training.svelte.ts';

/** Prepares the Generate form for a run: its LoRA, its base model, and a first prompt that names its subject. */
export function useRun(run: Run, step: number | null): void {
  const { draft } = generation;
  draft.modelId = run.modelId;
  draft.loras = [{ runId: run.id, step, weight: 1 }];
  draft.gridSteps = [];
  const name = nameOf(run.settings);
  if (!draft.prompt.includes(name)) draft.prompt = `a photo of ${name}`;
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
  if (chosen && training.byId(chosen.runId)?.subjectId === subject.id) return;
  if (before) draft.prompt = draft.prompt.replaceAll(nameOf(before), nameOf(subject));
  const run = training.ofSubject(subject.id).find(({ checkpoints }) => checkpoints > 0);
  draft.gridSteps = [];
  draft.loras = run ? [{ runId: run.id, step: run.pickedStep, weight: 1 }] : [];
  if (run) draft.modelId = run.modelId;
}

/** What a subject is called in prompts: "sks dog". */
export function nameOf({ token, classNoun }: Pick<Subject, 'token' | 'classNoun'>): string {
  return `${token} ${classNoun}`;
}
