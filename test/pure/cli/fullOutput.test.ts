import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { expect, it } from 'vitest';

/** Linux' device that has no room for anything. */
const full = '/dev/full';

it.skipIf(!existsSync(full))('a result that could not be written is no success', () => {
  const out = openSync(full, 'w');
  const inspect = ['dist/likeness.js', 'inspect', 'test/golden/fixtures/models/tiny-bk'];
  for (const words of [[], ['--json']]) {
    const { status, stderr } = spawnSync(process.execPath, [...inspect, ...words], {
      stdio: ['ignore', out, 'pipe'],
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toContain("The output of this command can't be written (ENOSPC); the disk is full");
  }
  closeSync(out);
});
