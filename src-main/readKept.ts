import { readFileSync } from 'node:fs';
import type * as z from 'zod';
import { orNothing } from '../src-shared/orNothing.ts';

/** What was kept in a JSON file; undefined where it is missing, damaged or of another version. */
export function readKept<T>(file: string, type: z.ZodType<T>): T | undefined {
  return orNothing(() => type.parse(JSON.parse(readFileSync(file, 'utf8'))));
}
