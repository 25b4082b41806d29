import type { Run } from '../../src-shared/domain/run.ts';
import type { Subject } from '../../src-shared/domain/subject.ts';
import { generation } from './generation.svelte.ts';
import { subjects } from './subjects.svelte.ts';
import { training } from './training.svelte.ts';

/** Makes the form of Generate ready for a run: its LoRA in the mix, its base model, and a first prompt that names its subject. */
export function useRun(run: Run, step: number | null): void {
  const { draft } = generation;
  draft.modelId = run.modelId;
  draft.loras = [{ runId: run.id, step, weight: 1 }];
  draft.gridSteps = [];
  const name = nameOf(run.settings);
  if (!draft.prompt.includes(name)) draft.prompt = `a photo of ${name}`;
}

/**
 * Works with another subject from now on: the form of Generate takes its latest run, and its prompt the new name. A mix of several
 * subjects is somebody's own work and stays.
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

function nameOf({ token, classNoun }: Pick<Subject, 'token' | 'classNoun'>): string {
  return `${token} ${classNoun}`;
}
