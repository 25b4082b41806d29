import path from 'node:path';
import * as z from 'zod';
import { readJsonIfThere } from '../../engine/checkpoints/files.ts';
import { writeJson } from '../../engine/checkpoints/writeJson.ts';

/** What lies in the folder of a run that makes another one again. */
const rerunFileType = z.object({
  /** The other run's folder, seen from the library, and what it was called. */
  of: z.string(),
  name: z.string(),
  /** Once it has ended: whether the same bits came out, and what is not as it was. */
  same: z.boolean().optional(),
  changed: z.array(z.string()).optional(),
});
export type RerunFile = z.output<typeof rerunFileType>;

const place = (run: string): string => path.join(run, 'rerun.json');

/** Nothing for any other run. */
export function readRerun(run: string): RerunFile | undefined {
  return rerunFileType.safeParse(readJsonIfThere(place(run))).data;
}

export function writeRerun(run: string, content: RerunFile): void {
  writeJson(place(run), content);
}
