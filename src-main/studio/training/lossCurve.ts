import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { fromJson } from '../../../src-shared/domain/fromJson.ts';
import type { LossCurve } from '../../../src-shared/domain/run.ts';

const mostPoints = 2000;

/** The logged losses of a run; of a long run, only some. */
export function lossCurve(run: string): LossCurve {
  const file = join(run, 'log.jsonl');
  if (!existsSync(file)) return { steps: [], losses: [] };
  const lines = readFileSync(file, 'utf8').split('\n');
  const every = Math.max(1, Math.ceil(lines.length / mostPoints));
  const points = lines.flatMap((line, place) => (place % every === 0 ? parse(line) : []));
  return { steps: points.map(({ step }) => step), losses: points.map(({ loss }) => loss) };
}

const eventType = z.object({ step: z.number(), loss: z.number() });

function parse(line: string): { step: number; loss: number }[] {
  const { data } = eventType.safeParse(fromJson(line));
  return data ? [data] : [];
}
