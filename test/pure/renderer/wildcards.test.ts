import { beforeAll, expect, it, vi } from 'vitest';
import type { Draft } from '../../../src-renderer/state/draft.ts';
import { expandWildcards } from '../../../src-shared/domain/wildcards.ts';

it.each([
  ['a dog', ['a dog']],
  ['a {red|blue} mug', ['a red mug', 'a blue mug']],
  ['{a|b} {c|d}', ['a c', 'a d', 'b c', 'b d']],
  ['a { |big} dog', ['a dog', 'a big dog']],
])('"%s" makes %j', (prompt, prompts) => {
  expect(expandWildcards(prompt)).toEqual(prompts);
});

let generation: { readonly draft: Draft; readonly total: number };
beforeAll(async () => {
  // What of a browser the form's state asks for when it is loaded: no studio answers.
  const idle = { request: () => new Promise(() => undefined), listen: () => undefined, pathOf: () => '' };
  vi.stubGlobal('window', { likeness: idle });
  vi.stubGlobal('addEventListener', () => undefined);
  vi.stubGlobal('location', new URL('http://127.0.0.1/#/generate'));
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
  ({ generation } = await import('../../../src-renderer/state/generation.svelte.ts'));
});

it('the button counts what will be made, wildcards, lines, mixes and copies', () => {
  Object.assign(generation.draft, { prompt: 'a {red|green|blue} mug', count: 2 });
  expect(generation.total).toBe(6);
  const loras = [{ runId: 1, step: null, weight: 1 }];
  Object.assign(generation.draft, {
    prompt: 'a {red|blue} mug\na cup',
    grid: true,
    loras,
    gridWeights: [0.5, 1],
  });
  expect(generation.total).toBe(3 * 2 * 2);
});
