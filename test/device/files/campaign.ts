/**
 * npx tsx test/device/files/campaign.ts COUNT [FIRST] [FILTER]: COUNT changed files of every kind that is read, and what is wrong with how
 * each was refused. A case can be made again from its kind and its number. The test beside this runs a few of them.
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { attempt, faults, listing, ownOf } from './attempt.ts';
import { caseOf, inputs } from './inputs.ts';
import { randomFrom } from './mutations.ts';

const [count = '1500', first = '0', filter = ''] = process.argv.slice(2);
const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-mutated-'));
process.env['LIKENESS_CACHE'] = path.join(scratch, 'cache');
const all = (await inputs(path.join(scratch, 'good'))).filter(({ name }) => name.includes(filter));
const tally = new Map<string, number>();
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  const input = all[seed % all.length];
  if (!input) break;
  // What has to train before it is read takes as long as all others together: a few of those will do.
  if (input.whole && Math.floor(seed / all.length) % 8) continue;
  const random = randomFrom(seed);
  const folder = path.join(scratch, 'case');
  const { words } = caseOf(input, folder, (bytes) => input.mutation(bytes, random), readFileSync);
  const own = ownOf(words);
  const before = listing(folder, own);
  const peak = process.resourceUsage().maxRSS;
  process.stdout.write(`${seed} ${input.name} … `);
  const outcome = await attempt(words, { readOnly: !input.whole });
  const found = faults(outcome);
  const after = listing(folder, own).filter((line) => !before.includes(line));
  if (after.length) found.push(`wrote ${after.join(', ')}`);
  const grown = (process.resourceUsage().maxRSS - peak) / 1e3;
  if (grown > 700) found.push(`${Math.round(grown)} MB more`);
  tally.set(String(outcome.status), (tally.get(String(outcome.status)) ?? 0) + 1);
  console.log(
    `${outcome.status} ${outcome.code} ${outcome.seconds.toFixed(1)} s ${outcome.message.replaceAll(folder, '').slice(0, 260)}`,
  );
  for (const fault of found) console.log(`  FAULT ${seed} ${input.name}: ${fault}`);
}
console.log(JSON.stringify([...tally]), `${Math.round(process.resourceUsage().maxRSS / 1e3)} MB at the peak`);
process.exit(0);
