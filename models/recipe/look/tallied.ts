export interface Tally {
  readonly set: string;
  readonly column: string;
  readonly right: number;
  /** All cards of the set: one that the viewer left out is wrong. */
  readonly of: number;
}

type Row = Readonly<Record<string, string>>;

/** How many of each set's cards are named as the key has it, for each column that both tables have. Errors: a number that is no card's. */
export function tally(key: readonly Row[], named: readonly Row[]): Tally[] {
  const byNumber = new Map(named.map((row) => [row.number, row]));
  const cards = new Set(key.map(({ number }) => number));
  for (const { number } of named)
    if (!cards.has(number)) throw new Error(`There is no card ${number ?? ''}.`);
  const columns = Object.keys(named[0] ?? {}).filter(
    (column) => column !== 'number' && column in (key[0] ?? {}),
  );
  const sets = [...new Set(key.map(({ set }) => set ?? ''))];
  return sets.flatMap((set) => {
    const own = key.filter((row) => row.set === set);
    return columns.map((column) => {
      const right = own.filter((row) => byNumber.get(row.number)?.[column] === row[column]).length;
      return { set, column, right, of: own.length };
    });
  });
}
