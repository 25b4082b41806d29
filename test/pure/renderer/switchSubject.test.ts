import { beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Draft } from '../../../src-renderer/state/draft.ts';

const subject = (id: number, token: string, classNoun: string) => ({ id, name: token, token, classNoun });
const run = (id: number, subjectId: number, checkpoints: number) => ({
  ...{ id, subjectId, checkpoints, modelId: 1, pickedStep: null, settings: {} },
});
const replies: Record<string, unknown> = {
  'subjects.list': [subject(1, 'sks', 'dog'), subject(2, 'vex', 'mug'), subject(3, 'zwx', 'vase')],
  'projects.list': [],
  'training.runs': [
    ...[run(10, 1, 4), run(20, 2, 4), run(30, 3, 0)],
    // Learnt with the second subject, in one run.
    {
      ...run(40, 1, 4),
      settings: { token: 'sks', classNoun: 'dog', otherSubjects: [{ token: 'vex', classNoun: 'mug' }] },
    },
  ],
};

let draft: Draft;
let switchSubject: (id: number) => void;
beforeAll(async () => {
  // A studio that answers with the three subjects above, where the preload script's bridge would be.
  const request = (name: string) => Promise.resolve({ ok: true, output: replies[name] ?? [] });
  vi.stubGlobal('window', { likeness: { request, listen: () => undefined, pathOf: () => '' } });
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
  const { subjects } = await import('../../../src-renderer/state/subjects.svelte.ts');
  const { training } = await import('../../../src-renderer/state/training.svelte.ts');
  await Promise.all([subjects.load(), training.load()]);
  ({ draft } = (await import('../../../src-renderer/state/generation.svelte.ts')).generation);
  ({ switchSubject } = await import('../../../src-renderer/state/useRun.ts'));
});
beforeEach(() => {
  switchSubject(1);
  draft.loras = [{ runId: 10, step: 240, weight: 1 }];
  draft.prompt = 'a photo of sks dog on a beach';
});

it('switching the subject switches the run and the name in the prompt', () => {
  switchSubject(2);
  expect(draft.prompt).toBe('a photo of vex mug on a beach');
  expect(draft.loras).toEqual([{ runId: 20, step: null, weight: 1 }]);
});

it('a subject without a trained run leaves no run of another one', () => {
  switchSubject(3);
  expect(draft.loras).toEqual([]);
  expect(draft.prompt).toContain('zwx vase');
});

it('a mix of two subjects, and the same subject again, change nothing', () => {
  const both = [...draft.loras, { runId: 20, step: null, weight: 0.5 }];
  switchSubject(1);
  expect(draft.loras).toHaveLength(1);
  draft.loras = both;
  switchSubject(2);
  expect(draft.loras).toEqual(both);
  expect(draft.prompt).toBe('a photo of sks dog on a beach');
});

it('a run that learnt both stays, and the prompt names the other one', () => {
  draft.loras = [{ runId: 40, step: null, weight: 1 }];
  switchSubject(2);
  expect(draft.prompt).toBe('a photo of vex mug on a beach');
  switchSubject(1);
  expect(draft.prompt).toBe('a photo of sks dog on a beach');
  expect(draft.loras).toEqual([{ runId: 40, step: null, weight: 1 }]);
});
