import { writeAtomically } from './writeSafetensors.ts';

/** Writes indented JSON atomically. Errors: `file.unwritable`. */
export function writeJson(file: string, value: unknown): void {
  writeAtomically(file, () => [Buffer.from(`${JSON.stringify(value, null, 2)}\n`)]);
}
