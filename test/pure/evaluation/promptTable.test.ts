import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { promptsOf } from '../../../src-main/features/evaluation/subject.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'likeness-table-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

it('the table that a set was drawn from says what its pictures show, by name', () => {
  const file = join(scratch, 'metadata.csv');
  writeFileSync(file, 'file_name,text\n10.jpg,"a dog, running"\n2.jpg,a cat\n');
  const pictures = ['2.png', '10.png'].map((name) => join(scratch, name));
  expect(promptsOf(file, scratch, pictures)).toEqual(['a cat', 'a dog, running']);
  expect(() => promptsOf(file, scratch, [join(scratch, '3.png')])).toThrow(
    /metadata\.csv has no row for .*3\.png/,
  );
});

it('a text file still has a line a picture', () => {
  const file = join(scratch, 'prompts.txt');
  writeFileSync(file, 'a cat\na dog\n\n');
  expect(promptsOf(file, scratch, ['1.png', '2.png'])).toEqual(['a cat', 'a dog']);
  expect(() => promptsOf(file, scratch, ['1.png'])).toThrow(
    expect.objectContaining({ code: 'evaluate.counts' }),
  );
});
