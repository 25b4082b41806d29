import type { Run } from '../../src-shared/domain/run.ts';
import { generation } from './generation.svelte.ts';

/** Makes the form of Generate ready for a run: its LoRA in the mix, its base model, and a first prompt that names its subject. */
export function useRun(run: Run, step: number | null): void {
  const { classNoun, token } = run.settings;
  const { draft } = generation;
  draft.modelId = run.modelId;
  draft.loras = [{ runId: run.id, step, weight: 1 }];
  draft.gridSteps = [];
  if (!draft.prompt.includes(`${token} ${classNoun}`)) draft.prompt = `a photo of ${token} ${classNoun}`;
}
