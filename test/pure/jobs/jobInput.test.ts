import { expect, it } from 'vitest';
import * as z from 'zod';
import { withInput, type JobHandling } from '../../../src-main/jobs/kind.ts';
import type { StoredJob } from '../../../src-main/storage/jobs.ts';

const job = (input: unknown): StoredJob => ({
  ...{ id: 1, kind: 'import', title: 'Importing mini', state: 'queued', position: 1, progress: null },
  ...{ createdAt: 0, startedAt: null, finishedAt: null, error: null, warnings: [], stopping: null },
  ...{ subjectId: null, runId: null, input },
});

it('a kind of job gets its input as its schema reads it; one that cannot be read says what is wrong', () => {
  const told: unknown[] = [];
  const handling: JobHandling<'import'> = withInput(z.object({ path: z.string().default('/here') }), {
    task: ({ input }) => input,
    changed: ({ input }) => void told.push(input.path),
  });
  expect(handling.task(job({ path: '/there', more: 1 }))).toEqual({ path: '/there' });
  expect(handling.task(job({}))).toEqual({ path: '/here' });
  expect(() => handling.task(job({ path: 7 }))).toThrow(
    /this job can't be read \(Importing mini: path: .*string.*\)/,
  );
  expect(() => handling.task(job(null))).toThrow(expect.objectContaining({ code: 'job.unreadable' }));
  for (const input of [{ path: '/there' }, null]) handling.changed?.(job(input));
  expect(told).toEqual(['/there']);
});
