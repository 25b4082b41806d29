import { problem } from '../../../../src-shared/messages/index.ts';
import { readLines, readTable } from './writtenText.ts';

/** A prompt a line. Errors: `prompts.none`, those of `readLines`. */
export function readPrompts(file: string): string[] {
  const prompts = readLines(file)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (!prompts.length) throw problem('prompts.none', { file });
  return prompts;
}

/** Prompts and file names of a set, as COCO's are given: columns `file_name` and `text`. Errors: those of `readPrompts`, `prompts.table`. */
export function readPromptTable(file: string): { prompts: string[]; names: string[] } {
  const bad = (why: string, cause?: unknown): Error => problem('prompts.table', { file, why }, cause);
  const rows = readTable(file, bad);
  if (!rows.length) throw problem('prompts.none', { file });
  const seen = new Set<string>();
  for (const { file_name: name, text } of rows) {
    if (name === undefined || text === undefined) throw bad('a column is missing');
    if (!/^[^/\\\0]+$/.test(name) || name.startsWith('.')) throw bad(`"${name}" is not a file name`);
    const stem = name.replace(/\.[^.]*$/, '').toLowerCase();
    if (seen.has(stem)) throw bad(`"${name}" is there twice`);
    seen.add(stem);
  }
  return { prompts: rows.map(({ text = '' }) => text), names: rows.map(({ file_name: name = '' }) => name) };
}
