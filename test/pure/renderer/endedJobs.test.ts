import { expect, it, vi } from 'vitest';

const ended = (id: number, kind: string, state: string) => ({
  id,
  kind,
  state,
  createdAt: id,
  finishedAt: id,
});
const list = [
  ended(1, 'measure', 'done'),
  ended(2, 'measure', 'failed'),
  ended(3, 'measure', 'cancelled'),
  ended(4, 'train', 'cancelled'),
  { ...ended(5, 'measure', 'running'), finishedAt: null },
];

// A training that starts ends its subject's dry run: "Cancelled" stood beside it, as if the person had done something.
it('a dry run that gave way to a training is not told of', async () => {
  const request = () => Promise.resolve({ ok: true, output: list });
  vi.stubGlobal('window', { likeness: { request, listen: () => undefined, pathOf: () => '' } });
  const { jobs } = await import('../../../src-renderer/state/jobs.svelte.ts');
  await jobs.load();
  expect(jobs.ended.map(({ id }) => id)).toEqual([4, 2, 1]);
});
