import { parse } from 'csv-parse/sync';
import { fromJson } from '../../../../src-shared/domain/fromJson.ts';
import { LikenessError, problem } from '../../../../src-shared/messages/index.ts';
import { withFile } from '../../checkpoints/files.ts';

const maxBytes = 64e6;

/**
 * Text that a person wrote, as editors save it: UTF-8, or UTF-16 with the mark at its beginning. Other encodings can't be told from each
 * other, and a wrong guess would be taught as words. Errors: `text.notText`, `text.notPlain`, those of `withFile`.
 */
export function readWritten(file: string): string {
  const bytes = withFile(file, (opened) => {
    if (opened.size > maxBytes) throw problem('text.notText', { file });
    return opened.bytes(0, opened.size);
  });
  const mark = (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0);
  const encoding = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8';
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw problem('text.notText', { file }, cause);
  }
  if (text.includes('\0')) throw problem('text.notText', { file });
  const what = documents.find(([sign]) => sign.test(text))?.[1];
  if (what !== undefined) throw problem('text.notPlain', { file, what });
  // Line ends of old Macs, which Excel still writes.
  return text.includes('\n') ? text : text.replaceAll('\r', '\n');
}

/** What is text to a computer and none to a reader. TextEdit saves the first unless told otherwise. */
const documents: readonly (readonly [sign: RegExp, what: string])[] = [
  [/^\{\\rtf/, 'a document with fonts and layout (RTF)'],
  [/^\s*<(!doctype html|html)\b/i, 'a web page'],
];

/** The lines of a text, as they are. Errors: those of `readWritten`, `text.data` for what a program lays out. */
export function readLines(file: string): string[] {
  const lines = readWritten(file).split(/\r?\n/);
  const what = isJson(lines) ? 'JSON' : isTable(lines[0] ?? '') ? 'a table' : undefined;
  if (what !== undefined) throw problem('text.data', { file, what });
  return lines;
}

/** A whole value, or one in each line. A sentence in brackets is neither. */
function isJson(lines: readonly string[]): boolean {
  const first = lines.find((line) => line.trim() !== '') ?? '';
  return /^\s*[[{]/.test(first) && [first, lines.join('\n')].some((text) => fromJson(text) !== undefined);
}

/** The columns that tables of captions and prompts have. */
function isTable(head: string): boolean {
  return /^"?file_?name"?[,;\t]/i.test(head);
}

const lineEnds = ['\r\n', '\n'];

/** The rows of a table with commas, or with the semicolons or tabs that spreadsheets write. Errors: `fault`, those of `readWritten`. */
export function readTable(
  file: string,
  fault: (why: string, cause?: unknown) => Error,
): Record<string, string>[] {
  // Excel's own first line, which names the delimiter.
  const text = readWritten(file).replace(/^"?sep=.?"?\r?\n/i, '');
  const [head = ''] = text.split(/\r?\n/, 1);
  const delimiter = [',', ';', '\t'].find((one) => head.includes(one)) ?? ',';
  const options = { columns: true, skip_empty_lines: true, record_delimiter: lineEnds, delimiter } as const;
  try {
    return parse(text, options);
  } catch (cause) {
    if (cause instanceof LikenessError) throw cause;
    throw fault(cause instanceof Error ? cause.message : 'it is not a CSV file', cause);
  }
}
