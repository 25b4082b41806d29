import { describe, expect, it } from 'vitest';
import { captionsOf, withArticle } from '../../../models/recipe/captions.ts';
import { mixSeed, Random } from '../../../models/recipe/random.ts';

describe('articles', () => {
  it.each([
    ['chair', 'a chair'],
    ['armchair', 'an armchair'],
    ['sneakers', 'sneakers'],
    ['glass', 'a glass'],
    ['bus', 'a bus'],
    ['cactus', 'a cactus'],
    ['bread', 'bread'],
    ['unicorn', 'a unicorn'],
    ['vase of flowers', 'a vase of flowers'],
    ['french fries', 'french fries'],
  ])('%s', (noun, expected) => {
    expect(withArticle(noun, noun)).toBe(expected);
  });
});

describe('captions', () => {
  const phrases = ['on the beach', 'at the beach'];

  it('say noun, colour and place in several wordings, the fullest first', () => {
    const captions = captionsOf(
      { nouns: ['mug', 'cup'], color: 'red', phrases, view: 'from above', style: 'photo', ambiguous: false },
      new Random(1),
    );
    expect(captions[0]).toBe('a photo of a red mug on the beach');
    expect(captions.length).toBeGreaterThanOrEqual(5);
    expect(captions.at(-1)).toMatch(/^a photo of a red mug (on|at) the beach, seen from above$/);
    for (const caption of captions) expect(caption).toMatch(/^[a-z0-9 ,'-]+$/);
  });

  it('call an emoji by its bare noun only where no photographed object has that noun', () => {
    const shown = { nouns: ['dog'], phrases, style: 'emoji' as const };
    const plain = (ambiguous: boolean) =>
      captionsOf({ ...shown, ambiguous }, new Random(1)).includes('a dog');
    expect(plain(true)).toBe(false);
    expect(plain(false)).toBe(true);
  });

  it('do not say a colour twice', () => {
    const captions = captionsOf(
      { nouns: ['red heart'], color: 'red', phrases, style: 'photo', ambiguous: false },
      new Random(1),
    );
    expect(captions[0]).toBe('a photo of a red heart on the beach');
  });
});

describe('seeds', () => {
  it('give unrelated streams to neighbouring pictures and to other seeds', () => {
    const seeds = Array.from({ length: 4000 }, (_, k) => mixSeed(1 + (k % 20), Math.floor(k / 20)));
    expect(new Set(seeds).size).toBe(seeds.length);
  });
});
