import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readJson } from '../../../src-main/engine/checkpoints/files.ts';
import { writeJson } from '../../../src-main/engine/checkpoints/writeJson.ts';
import { makeSampler } from '../../../src-main/engine/schedulers/index.ts';

it('Python’s infinities are read, used and written back', () => {
  const folder = mkdtempSync(join(tmpdir(), 'json-'));
  const file = join(folder, 'scheduler_config.json');
  writeFileSync(
    file,
    '{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity, "a": Infinity, "b": NaN}',
  );
  const read = readJson(file);
  expect(read).toMatchObject({ lambda_min_clipped: -Infinity, a: Infinity, b: null });
  expect(makeSampler(undefined, read, 5).timesteps).toHaveLength(5);
  writeJson(file, read);
  expect(readFileSync(file, 'utf8')).toContain('"lambda_min_clipped": -Infinity,\n  "a": Infinity');
  expect(readJson(file)).toEqual(read);
});
