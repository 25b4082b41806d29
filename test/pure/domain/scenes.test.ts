import { expect, it } from 'vitest';
import { expandWildcards } from '../../../src-shared/domain/wildcards.ts';
import { commonScenes, scenesIn, withScenes } from '../../../src-shared/domain/scenes.ts';

const [snow, beach] = ['in the snow', 'on the beach'];

it.each([
  ['a photo of sks dog', [snow], 'a photo of sks dog in the snow'],
  ['a photo of sks dog on the beach', [snow], 'a photo of sks dog in the snow'],
  ['a photo of sks dog on the beach', [], 'a photo of sks dog'],
  ['a photo of sks dog, oil painting', [snow], 'a photo of sks dog in the snow, oil painting'],
  ['a photo of sks dog', [snow, beach], 'a photo of sks dog {in the snow|on the beach}'],
  ['sks dog {in the snow|on the beach}, at dusk', [beach], 'sks dog on the beach, at dusk'],
  ['sks dog {in the snow|on the beach}, at dusk', [], 'sks dog, at dusk'],
  ['sks dog {sleeping|running}', [snow], 'sks dog {sleeping|running} in the snow'],
  ['sks dog in the snowy woods', [beach], 'sks dog in the snowy woods on the beach'],
  ['', [snow], 'in the snow'],
])('"%s" with %j is "%s"', (prompt, chosen, changed) => {
  expect(withScenes(prompt, chosen, commonScenes)).toBe(changed);
  expect(scenesIn(changed, commonScenes)).toEqual(chosen);
  expect(expandWildcards(changed)).toHaveLength(
    Math.max(1, chosen.length) * (prompt.includes('sleeping') ? 2 : 1),
  );
});

it('finds the longest of scenes that begin alike', () => {
  const scenes = ['in the city', 'in the city at night'];
  expect(scenesIn('sks dog in the city at night', scenes)).toEqual(['in the city at night']);
});
