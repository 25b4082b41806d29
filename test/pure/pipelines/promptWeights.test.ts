import { expect, it } from 'vitest';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { breakMark, parseWeights } from '../../../src-main/engine/pipelines/promptWeights.ts';

/** From the web UI's own parser: `test/golden/reference/prompt_weights.py`. */
const { metadata } = readSafetensors(
  `${import.meta.dirname}/../../golden/fixtures/pipelines/prompts.safetensors`,
);
const prompts = JSON.parse(metadata['prompts'] ?? '') as string[];
const parsed = JSON.parse(metadata['parsed'] ?? '') as [string, number][][];

it.each(prompts.map((prompt, i) => [prompt, i] as const))('%j is taken apart as there', (prompt, i) => {
  const wanted = (parsed[i] ?? []).map(([text, weight]) =>
    text === 'BREAK' && weight === -1 ? breakMark : { text, weight: expect.closeTo(weight, 12) as number },
  );
  expect(parseWeights(prompt)).toEqual(wanted);
});

it('begins a new chunk at BREAK within brackets too', () => {
  expect(parseWeights('(a BREAK b:1.5)')).toEqual([
    { text: 'a', weight: 1.5 },
    breakMark,
    { text: 'b', weight: 1.5 },
  ]);
});

it('takes what is no number as written', () => {
  expect(parseWeights('(a:1.2.3)')).toEqual([{ text: 'a', weight: 1 }]);
});
