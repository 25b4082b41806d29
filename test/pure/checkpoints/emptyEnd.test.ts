import { cpSync, mkdtempSync, openSync, closeSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inspect } from '../../../src-main/features/inspect/inspect.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'likeness-empty-end-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('weights whose file has its whole length but no end are told of', async () => {
  const model = join(folder, 'model');
  cpSync(resolve('test/golden/fixtures/models/tiny-bk'), model, { recursive: true });
  expect((await inspect(model)).report.problems).toEqual([]);
  const file = join(model, 'unet/diffusion_pytorch_model.safetensors');
  const zeros = Buffer.alloc(100_000);
  const opened = openSync(file, 'r+');
  writeSync(opened, zeros, 0, zeros.length, statSync(file).size - zeros.length);
  closeSync(opened);
  const { report, fatal } = await inspect(model);
  expect(fatal).toBeUndefined();
  expect(report.problems).toEqual([expect.stringMatching(/^the last 0\.1 MB of .*unet.* are zeros/)]);
});
