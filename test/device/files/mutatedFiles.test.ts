import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attempt, faults, listing, ownOf } from './attempt.ts';
import { caseOf, inputs, type Input } from './inputs.ts';
import { randomFrom } from './mutations.ts';

/** Two changed files of every kind; campaign.ts makes as many as one wants. */
const seeds = [0, 1];

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-mutated-'));
let all: readonly Input[] = [];
beforeAll(async () => {
  process.env['LIKENESS_CACHE'] = path.join(scratch, 'cache');
  all = await inputs(path.join(scratch, 'good'));
}, 600_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('a changed file of any kind is read or refused in a sentence', () => {
  it.each(seeds)('seed %d', { timeout: 600_000 }, async (seed) => {
    const found: string[] = [];
    for (const input of all) {
      const random = randomFrom(seed);
      const folder = path.join(scratch, 'case');
      const { words } = caseOf(input, folder, (bytes) => input.mutation(bytes, random), readFileSync);
      const before = listing(folder, ownOf(words));
      const wrong = faults(await attempt(words, { readOnly: !input.whole }));
      const wrote = listing(folder, ownOf(words)).filter((line) => !before.includes(line));
      found.push(
        ...[...wrong, ...wrote.map((line) => `wrote ${line}`)].map((what) => `${input.name}: ${what}`),
      );
    }
    expect(found).toEqual([]);
  });
});

describe('what is looked for', () => {
  it('is found', () => {
    const good = {
      status: 1,
      code: 'file.missing',
      seconds: 0,
      connections: 0,
      message: 'x is not there; check the path.',
    };
    expect(faults(good)).toEqual([]);
    expect(faults({ ...good, code: 'internal' })).toHaveLength(1);
    expect(faults({ ...good, message: 'two\nlines of a long message' })).toHaveLength(2);
    expect(faults({ ...good, message: 'undefined is not there; check it.' })).toHaveLength(1);
    expect(faults({ ...good, seconds: 21, connections: 1, status: 3 })).toHaveLength(3);
  });

  it('counts connections', async () => {
    Object.assign(process.env, { HF_ENDPOINT: 'http://127.0.0.1:45999', HF_HOME: path.join(scratch, 'hub') });
    const outcome = await attempt(['download', 'owner/name']);
    expect(outcome).toMatchObject({ status: 1, code: 'download.failed' });
    expect(outcome.connections).toBeGreaterThan(0);
  });
});
