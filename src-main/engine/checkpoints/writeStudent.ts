import { cpSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder, orUnwritable } from './files.ts';
import { removeLeftovers, temporaryPlace } from './leftovers.ts';
import type { Model, TokenizerFiles } from './model.ts';
import { writeDiffusers, writePart } from './writeModel.ts';

/**
 * Writes a student as a diffusers folder: its own U-Net, and all the rest of the teacher's folder as it is (of a single file:
 * its other parts, and `tokenizer`). The folder appears under its name when it is complete. Errors: `file.unwritable`.
 */
export function writeStudent(
  out: string,
  student: Model,
  options: { readonly tokenizer?: TokenizerFiles | undefined } = {},
): void {
  const temporary = temporaryPlace(out);
  rmSync(temporary, { recursive: true, force: true });
  makeFolder(temporary);
  removeLeftovers(dirname(out), out);
  try {
    write(temporary, student, options);
    orUnwritable(out, () => renameSync(temporary, out));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function write(folder: string, student: Model, options: Parameters<typeof writeStudent>[2]): void {
  if (student.kind === 'single-file') return writeDiffusers(folder, student, {}, options);
  const rest = readdirSync(student.path).filter((name) => name !== 'unet' && !name.startsWith('.'));
  for (const name of rest)
    orUnwritable(join(folder, name), (to) =>
      cpSync(join(student.path, name), to, { recursive: true, dereference: true }),
    );
  writePart(join(folder, 'unet'), 'diffusion_pytorch_model', student.unet, undefined, {});
}
