import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fillCard } from '../../../models/recipe/fillCard.ts';
import { recipeFolder } from '../../../models/recipe/paths.ts';

describe('the card of the shipped model', () => {
  it('gets a figure wherever there is a place for one', () => {
    expect(fillCard('{{seen}} of {{all}}, {{seen}}', { seen: '3', all: '4' })).toBe('3 of 4, 3');
  });

  it('is not written with a figure missing or left over', () => {
    expect(() => fillCard('{{seen}}', {})).toThrow('no figure for {{seen}}');
    expect(() => fillCard('{{seen}}', { seen: '3', old: '2' })).toThrow('no place for old');
  });

  it('has no place that its names cannot fill', () => {
    const card = readFileSync(join(recipeFolder, 'card.md'), 'utf8');
    const names = [...card.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name as string);
    expect(names.length).toBeGreaterThan(5);
    expect(fillCard(card, Object.fromEntries(names.map((name) => [name, 'x'])))).not.toMatch(/[{}]/);
  });
});
