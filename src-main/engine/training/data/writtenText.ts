import { parse } from 'csv-parse/sync';
import { LikenessError, problem } from '../../../../src-shared/messages/index.ts';
import { withFile } from '../../checkpoints/files.ts';

const maxBytes = 64e6;

/**
 * Text that a person wrote, as editors save it: UTF-8, or UTF-16 with the mark at its beginning. Other encodings can't be told from each
 * other, and a wrong guess would be taught as words. Errors: `text.notText`, those of `withFile`.
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
  return text;
}

const lineEnds = ['\r\n', '\n'];

/** The rows of a table with commas, or with the semicolons or tabs that spreadsheets write. Errors: `fault`, those of `readWritten`. */
export function readTable(
  file: string,
  fault: (why: string, cause?: unknown) => Error,
): Record<string, string>[] {
  const text = readWritten(file);
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
