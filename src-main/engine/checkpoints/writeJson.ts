import { writeAtomically } from './writeSafetensors.ts';

/** Writes indented JSON atomically, infinity as Python writes and reads it. Errors: `file.unwritable`. */
export function writeJson(file: string, value: unknown): void {
  writeAtomically(file, () => [Buffer.from(`${jsonText(value)}\n`)]);
}

/** `value` as indented JSON in Python's dialect. */
export function jsonText(value: unknown): string {
  const marked = (_: string, part: unknown): unknown =>
    part === Infinity || part === -Infinity ? `#${part}` : part;
  return JSON.stringify(value, marked, 2).replace(/"#(-?Infinity)"/g, '$1');
}
