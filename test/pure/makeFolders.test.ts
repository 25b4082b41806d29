import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeFolders } from '../../src-main/makeFolders.ts';
import { likeness } from './cli/likeness.ts';

const scratch = mkdtempSync(join(tmpdir(), 'likeness-folders-'));
afterAll(() => rmSync(scratch, { recursive: true }));

it('makes a folder and those above it, once', () => {
  const folder = join(scratch, 'a/b/c');
  for (let i = 0; i < 2; i++) makeFolders(folder, 0o700);
  expect(statSync(join(scratch, 'a')).mode & 0o777).toBe(0o700);
  expect(statSync(folder).isDirectory()).toBe(true);
});

it('names what is in the way', () => {
  const file = join(scratch, 'file');
  writeFileSync(file, '');
  expect(() => makeFolders(join(file, 'below'))).toThrow(
    expect.objectContaining({ code: 'EEXIST', path: file }),
  );
});

// Node's own `recursive` never comes back from here.
it.runIf(process.platform === 'linux')('comes back from where no folder can be made', async () => {
  expect(() => makeFolders('/proc/likeness/library')).toThrow(/ENOENT/);
  const { status, stderr } = await likeness(['serve', '--library', '/proc/likeness/library', '--port', '0']);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^\/proc\/likeness\/library can't be used as a library/);
});
