import { expect, it } from 'vitest';
import { FlatParameters } from '../../../src-main/engine/optim/flatParameters.ts';
import { packsOf } from '../../../src-main/engine/optim/packs.ts';

const layout = new FlatParameters([
  ['a', [3]],
  ['b', [2, 8]],
  ['large', [10, 10]],
  ['c', [5]],
  ['d', [17]],
  ['e', [1]],
]);
const rated = layout.split((name) => (name === 'd' || name === 'e' ? 0.5 : 1));

it('joins small parameters, leaves large ones alone, and parts where the rate changes', () => {
  const packs = packsOf(layout, rated, { alone: 100, together: 1000 });
  expect(packs.map(({ parameters }) => parameters.map(({ name }) => name))).toEqual([
    ['a', 'b'],
    ['large'],
    ['c'],
    ['d', 'e'],
  ]);
  expect(packs.map(({ rate }) => rate)).toEqual([1, 1, 1, 0.5]);
  expect(packs[0]?.parameters[1]).toEqual({ name: 'b', offset: 16 });
});

it('leaves nothing of the array out, and nothing twice', () => {
  for (const together of [16, 48, 1000]) {
    const packs = packsOf(layout, rated, { alone: 1000, together });
    expect(packs.every(({ length }) => length <= Math.max(together, 112))).toBe(true);
    let end = 0;
    for (const { start, length } of packs) {
      expect(start).toBe(end);
      end = start + length;
    }
    expect(end).toBe(layout.length);
  }
});
