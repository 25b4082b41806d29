/**
 * Counts a blind test: `npx tsx models/recipe/look/tally.ts --test TEST`. Compares each column of TEST/named.csv with the same column of
 * TEST/key.csv, and prints how many are right in each set.
 */
import { join } from 'node:path';
import { option } from '../paths.ts';
import { readTable } from './tables.ts';
import { tally } from './tallied.ts';

const read = (name: string): Record<string, string>[] => readTable(join(option('test', ''), name));

for (const { set, column, right, of } of tally(read('key.csv'), read('named.csv')))
  console.log(`${set}: ${column} right in ${right} of ${of} (${Math.round((100 * right) / of)}%)`);
