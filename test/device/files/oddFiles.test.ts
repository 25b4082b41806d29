import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { attempt, faults, listing, ownOf } from './attempt.ts';
import { makeGoodFiles } from './goodFiles.ts';
import { oddCases } from './oddCases.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-odd-'));
const good = path.join(scratch, 'good');
beforeAll(async () => {
  process.env['LIKENESS_CACHE'] = path.join(scratch, 'cache');
  await makeGoodFiles(good);
}, 600_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

// Pipes, /proc and names that are no UTF-8 are Linux'.
it.skipIf(process.platform !== 'linux')(
  'odd files are read or refused in a sentence, and nothing is written elsewhere',
  { timeout: 900_000 },
  async () => {
    const found: string[] = [];
    for (const { name, make } of oddCases(good)) {
      const folder = path.join(scratch, 'case');
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder);
      const words = await make(folder);
      const before = listing(folder, ownOf(words));
      const outcome = await attempt(words, { readOnly: true });
      const wrote = listing(folder, ownOf(words)).filter((line) => !before.includes(line));
      if (process.env['LIKENESS_TELL']) console.log(name, '→', outcome.status, outcome.message);
      for (const what of [...faults(outcome), ...wrote.map((line) => `wrote ${line}`)])
        found.push(`${name}: ${what}`);
    }
    expect(found).toEqual([]);
  },
);
