import { parse } from 'csv-parse/sync';
import { withFile } from '../../checkpoints/files.ts';
import { LikenessError, problem } from '../../../../src-shared/messages/index.ts';

const maxBytes = 64e6;

/** A prompt a line. Errors: `prompts.none`, `prompts.notText`, those of `withFile`. */
export function readPrompts(file: string): string[] {
  const lines = readText(file).split(/\r?\n/);
  const prompts = lines.map((line) => line.trim()).filter((line) => line !== '');
  if (!prompts.length) throw problem('prompts.none', { file });
  return prompts;
}

/** Prompts and file names of a set, as COCO's are given: columns `file_name` and `text`. Errors: those of `readPrompts`, `prompts.table`. */
export function readPromptTable(file: string): { prompts: string[]; names: string[] } {
  let rows: Record<string, string>[];
  try {
    rows = parse(readText(file), { bom: true, columns: true, skip_empty_lines: true });
  } catch (cause) {
    if (cause instanceof LikenessError) throw cause;
    const why = cause instanceof Error ? cause.message : 'it is not a CSV file';
    throw problem('prompts.table', { file, why }, cause);
  }
  if (!rows.length) throw problem('prompts.none', { file });
  const bad = (why: string): Error => problem('prompts.table', { file, why });
  const seen = new Set<string>();
  for (const { file_name: name, text } of rows) {
    if (name === undefined || text === undefined) throw bad('it needs the columns file_name and text');
    if (!/^[^/\\\0]+$/.test(name) || name.startsWith('.')) throw bad(`"${name}" is not a file name`);
    const stem = name.replace(/\.[^.]*$/, '').toLowerCase();
    if (seen.has(stem)) throw bad(`"${name}" is there twice`);
    seen.add(stem);
  }
  return { prompts: rows.map(({ text = '' }) => text), names: rows.map(({ file_name: name = '' }) => name) };
}

function readText(file: string): string {
  const text = withFile(file, (opened) => {
    if (opened.size > maxBytes) throw problem('prompts.notText', { file });
    return new TextDecoder().decode(opened.bytes(0, opened.size));
  });
  if (/[\0\ufffd]/.test(text)) throw problem('prompts.notText', { file });
  return text;
}
