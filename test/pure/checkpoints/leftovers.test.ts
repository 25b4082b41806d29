import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import {
  removeLeftovers,
  temporaryFolder,
  temporaryPlace,
} from '../../../src-main/engine/checkpoints/leftovers.ts';
import { writeAtomically } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'likeness leftovers ü '));
});

/** The id of a process that has ended. */
const gone = spawnSync(process.execPath, ['-e', '']).pid;
const put = (name: string): void => writeFileSync(path.join(folder, name), 'half');

it('a file that is written again takes away what a killed process left of it, and nothing else', () => {
  const others = [`.b.png.${gone}.tmp`, `.pictures.${gone}.tmp`, `.a.png.${process.ppid}.tmp`, 'a.png.tmp'];
  for (const name of [`.a.png.${gone}.tmp`, ...others]) put(name);
  writeAtomically(path.join(folder, 'a.png'), () => [Buffer.from('whole')]);
  expect(readdirSync(folder).sort()).toEqual([...others, 'a.png'].sort());
});

it('a folder loses what killed processes left in it, and what is written by living ones stays', () => {
  const stays = [`.a.${process.pid}.tmp`, '.a.tmp', 'a.12.tmp', '.hidden'];
  for (const name of [...stays, `.a.${gone}.tmp`]) put(name);
  mkdirSync(path.join(folder, `.b.${gone}.tmp`, 'in'), { recursive: true });
  removeLeftovers(folder);
  expect(readdirSync(folder).sort()).toEqual(stays.sort());
});

it('a name that is as long as file systems take has a temporary place that is no longer', () => {
  const long = 'x'.repeat(251) + '.png';
  expect(path.basename(temporaryPlace(path.join(folder, long))).length).toBeLessThan(256);
});

it("a temporary folder takes away those of killed processes, and nobody else's", () => {
  const old = path.join(tmpdir(), `likeness-dry-run-${gone}-abc123`);
  const other = path.join(tmpdir(), `likeness-dry-run-${process.ppid}-abc123`);
  for (const place of [old, other]) mkdirSync(path.join(place, 'run'), { recursive: true });
  const own = temporaryFolder('dry-run');
  expect([own, old, other].map((place) => existsSync(place))).toEqual([true, false, true]);
  for (const place of [own, other]) rmSync(place, { recursive: true });
});
