import { describe, expect, it } from 'vitest';
import { captionsOf } from '../../../models/recipe/data/captions.ts';
import { withArticle } from '../../../models/recipe/render/article.ts';
import { mixSeed, Random } from '../../../models/recipe/render/random.ts';

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
      { nouns: ['mug', 'cup'], color: 'red', phrases, view: 'from above' },
      new Random(1),
    );
    expect(captions[0]).toBe('a photo of a red mug on the beach');
    expect(captions.length).toBeGreaterThanOrEqual(5);
    expect(captions.at(-1)).toMatch(/^a photo of a red mug (on|at) the beach, seen from above$/);
    for (const caption of captions) expect(caption).toMatch(/^[a-z0-9 ,'-]+$/);
  });

  it('also as people type them, without an article', () => {
    const shown = { nouns: ['sofa', 'couch'], color: 'blue', phrases };
    const captions = captionsOf(shown, new Random(2));
    expect(captions.filter((caption) => /^blue sofa (on|at) the beach$/.test(caption))).toHaveLength(1);
  });

  it('of a place with nothing in it name the place alone', () => {
    for (const caption of captionsOf({ nouns: [], phrases }, new Random(1)))
      expect(caption).toMatch(/^(a photo taken )?(on|at) the beach$/);
  });

  it('do not say a colour twice', () => {
    const captions = captionsOf({ nouns: ['red heart'], color: 'red', phrases }, new Random(1));
    expect(captions[0]).toBe('a photo of a red heart on the beach');
  });
});

describe('seeds', () => {
  it('give unrelated streams to neighbouring pictures and to other seeds', () => {
    const seeds = Array.from({ length: 4000 }, (_, k) => mixSeed(1 + (k % 20), Math.floor(k / 20)));
    expect(new Set(seeds).size).toBe(seeds.length);
  });
});
