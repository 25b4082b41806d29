import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { readKept } from '../../readKept.ts';
import { makeFolders } from '../../makeFolders.ts';
import { providers } from '../../../src-shared/domain/providers.ts';
import { deviceFingerprint } from './graphicsDevice.ts';
import { isAlive } from './isAlive.ts';
import { isSlow, type Verdict } from './verdict.ts';

const provider = z.enum(providers);
// JSON has no NaN.
const error = z
  .number()
  .nullable()
  .transform((value) => value ?? NaN);
const verdictType: z.ZodType<Verdict> = z.discriminatedUnion('state', [
  z.object({
    ...{ provider, state: z.literal('right'), seconds: z.number(), cpuSeconds: z.number(), error },
    fusedAttention: z.boolean(),
  }),
  z.object({ provider, state: z.literal('wrong'), error }),
  z.object({ provider, state: z.enum(['absent', 'failed', 'crashed']), why: z.string() }),
]);

/** By provider, and precision where that is not f32: what was found, or the process that is trying it; `on` says which device and driver it is about. */
const keptType = z.record(
  z.string(),
  z
    .object({ on: z.string(), verdict: verdictType.optional(), trying: z.int().min(1).optional() })
    .optional()
    .catch(undefined),
);
type Kept = z.output<typeof keptType>;

let folder: string | undefined;

/** From now on verdicts are kept in `path` for the next process; without this each process tries for itself. */
export function keepVerdictsIn(path: string): void {
  folder = path;
}

const fileIn = (cache: string): string => join(cache, 'providers.json');

function read(cache = folder): Kept {
  return (cache === undefined ? undefined : readKept(fileIn(cache), keptType)) ?? {};
}

/** A folder that can't be written keeps nothing: the trial is made again. */
function write(cache: string, kept: Kept): void {
  try {
    makeFolders(cache);
    const own = join(cache, `.providers.json.${process.pid}.tmp`);
    writeFileSync(own, JSON.stringify(kept, null, 2));
    renameSync(own, fileIn(cache));
  } catch {
    return;
  }
}

function note(what: string, entry: Kept[string]): void {
  if (folder !== undefined) write(folder, { ...read(), [what]: entry });
}

/** The verdict on `what`, a provider in a precision, for this device and driver; `crashed` where the process that tried it is gone without one. */
export function keptVerdict(provider: Verdict['provider'], what: string, on: string): Verdict | undefined {
  const kept = read()[what];
  if (kept?.on !== on) return undefined;
  if (kept.verdict) return kept.verdict;
  if (kept.trying === undefined || isAlive(kept.trying)) return undefined;
  return { provider, state: 'crashed', why: 'the program ended while it was tried' };
}

/** The provider that `auto` resolved to here, by the verdicts kept in a cache; undefined for the CPU, or if there are no verdicts. */
export async function fastestKept(cache: string): Promise<Verdict['provider'] | undefined> {
  const on = await deviceFingerprint();
  let best: (Verdict & { state: 'right' }) | undefined;
  for (const [what, kept] of Object.entries(read(cache))) {
    const verdict = kept?.on === on && !what.includes(' ') ? kept.verdict : undefined;
    if (verdict?.state !== 'right' || isSlow(verdict)) continue;
    if (!best || verdict.seconds < best.seconds) best = verdict;
  }
  return best?.provider;
}

/** Written before a trial, in case the trial crashes this process. */
export function markTrial(what: string, on: string): void {
  note(what, { on, trying: process.pid });
}

/** Trials without a verdict in a cache begin anew: the process that was at them was stopped, and not by what it tried. */
export function forgetTrials(cache: string): void {
  write(cache, Object.fromEntries(Object.entries(read(cache)).filter(([, kept]) => kept?.verdict)));
}

export function keepVerdict(what: string, verdict: Verdict, on: string): void {
  note(what, { on, verdict });
}
