import { withFile } from '../engine/checkpoints/files.ts';
import { problem } from '../../src-shared/messages/index.ts';

const maxBytes = 64e6;

/** A prompt a line. Errors: `prompts.none`, `prompts.notText`, those of `withFile`. */
export function readPrompts(file: string): string[] {
  const text = withFile(file, (opened) => {
    if (opened.size > maxBytes) throw problem('prompts.notText', { file });
    return new TextDecoder().decode(opened.bytes(0, opened.size));
  });
  if (/[\0\ufffd]/.test(text)) throw problem('prompts.notText', { file });
  const lines = text.split(/\r?\n/);
  const prompts = lines.map((line) => line.trim()).filter((line) => line !== '');
  if (!prompts.length) throw problem('prompts.none', { file });
  return prompts;
}
