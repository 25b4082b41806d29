import { afterEach, expect, it, vi } from 'vitest';
import { Output } from '../../../src-main/cli/output.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** What people read of reports `done`, a minute apart. */
function linesOf(label: (done: number) => string, reports: readonly number[], total: number): string[] {
  // Lines that are not overwritten, as in a log.
  vi.stubEnv('CI', '1');
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const lines: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text).trim()) > 0);
  const output = new Output({ json: false, quiet: false, debug: false });
  for (const done of reports) {
    now += 60_000;
    output.report({ type: 'progress', label: label(done), done, total });
  }
  return lines;
}

it('progress tells the time that is left once there is a pace, and nothing before', () => {
  const lines = linesOf(() => 'samples', [0, 1, 2, 10], 10);
  expect(lines[0]).toBe('samples 0/10');
  expect(lines[2]).toBe('samples 2/10  8 min left');
  expect(lines[3]).toBe('samples 10/10');
});

it('work that goes by another name each time has no pace', () => {
  const lines = linesOf((done) => `gpu-check: part ${done}`, [0, 1, 2], 10);
  expect(lines).toEqual(['gpu-check: part 0 0/10', 'gpu-check: part 1 1/10', 'gpu-check: part 2 2/10']);
});
