import { expect, it } from 'vitest';
import { foreignSyntax } from '../../../src-main/features/generation/foreignSyntax.ts';

it.each([
  ['a dog <lora:rex:0.8>', '<lora:rex:0.8>'],
  ['a (red:1.3) ball', '(red:1.3)'],
  ['a ((red)) ball', '((red))'],
  ['a dog BREAK a cat', 'BREAK'],
])('weights and LoRAs of the web UI are words only as long as nobody asks: %s', (prompt, piece) => {
  expect(foreignSyntax([prompt], 'none')).toMatch(/taken as words here\. .*web UI/);
  expect(foreignSyntax([prompt], 'none')).toContain(`"${piece}"`);
  expect(foreignSyntax([prompt], 'a1111')).toBeUndefined();
});

it.each([
  ['a [dog:cat:0.5] runs', '[dog:cat:0.5]'],
  ['a [dog|cat] runs', '[dog|cat]'],
  ['a dog AND a cat', 'AND'],
  ['a <hypernet:fur:1> dog', '<hypernet:fur:1>'],
  ['a {red|blue} ball', '{red|blue}'],
  ['a __colour__ ball', '__colour__'],
  ['photo, embedding:EasyNegative', 'embedding:EasyNegative'],
  ['a red++ ball', 'd++'],
  ['a (red)1.3 ball', ')1.3'],
  ['a dog --n blurry', '--n blurry'],
  ['a dog --ar 16:9', '--ar 16:9'],
  ['# a comment', '# a comment'],
])('what nothing here reads is words in any case: %s', (prompt, piece) => {
  for (const rules of ['none', 'a1111'] as const)
    expect(foreignSyntax(['plain', prompt], rules)).toBe(
      `"${piece}": the syntax of another tool, taken as words here.`,
    );
});

it.each([
  'a photo of sks dog (on a beach), 35mm f/1.8',
  "a dog's ball -- and a cat",
  'salt and pepper, A AND',
  'a well-known 16:9 picture',
  '#1 dog dad on a mug',
  'a snake_case word, [brackets] and (parentheses)',
  'time: 10:30, ratio 1:2',
])('nothing is said of plain words: %s', (prompt) => {
  expect(foreignSyntax([prompt], 'none')).toBeUndefined();
});

it('names a few of many', () => {
  const prompt = Array.from({ length: 9 }, (_, i) => `(${i}:1.1)`).join(' ');
  expect(foreignSyntax([prompt], 'none')).toMatch(/"\(4:1\.1\)" and 4 more/);
});
