import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, it } from 'vitest';
import { Journal, type JournalPart } from '../../../src-main/features/generation/journal.ts';

const out = mkdtempSync(path.join(tmpdir(), 'likeness-journal-'));
afterAll(() => rmSync(out, { recursive: true }));

/** Opens the journal as the next process does: that of the one before is gone. */
function opened(): JournalPart {
  const [left] = readdirSync(out).filter((name) => name.startsWith('.pictures.'));
  if (left !== undefined) renameSync(path.join(out, left), path.join(out, '.pictures.999999999.tmp'));
  return Journal.open(out, 'asked').part(0, 'bits', () => ({ seed: 7, batch: 2 }));
}

/** Its list, cut off by `bytes` as a kill in the middle of a write does. */
function cut(bytes: number): void {
  const [folder = ''] = readdirSync(out).filter((name) => name.startsWith('.pictures.'));
  const file = path.join(out, folder, '0.jsonl');
  truncateSync(file, readFileSync(file).length - bytes);
}

it('a line that was cut off takes no other with it', async () => {
  const files = ['0001.png', '0002.png', '0003.png'].map((name) => path.join(out, name));
  const pixel = { width: 1, height: 1, channels: 3, background: 'red' } as const;
  for (const file of files) await sharp({ create: pixel }).toFile(file);
  const [first = '', second = '', third = ''] = files;
  const begun = opened();
  begun.made(0, first);
  begun.made(1, second);
  cut(9);
  const again = opened();
  expect([...again.before]).toEqual([[0, first]]);
  again.made(1, second);
  again.made(2, third);
  expect([...opened().before]).toEqual([
    [0, first],
    [1, second],
    [2, third],
  ]);
  expect(opened().choices).toMatchObject({ seed: 7, batch: 2 });
});
