import { expect, it } from 'vitest';
import { heldOutIds } from '../../../models/recipe/data/heldOut.ts';
import { taughtNouns, untaughtModels, untaughtScenes } from '../../../models/recipe/data/selection.ts';
import { madeSubjects } from '../../../models/recipe/render/madeSubjects.ts';
import { namedObjects } from '../../../models/recipe/render/objectNouns.ts';
import { scenes } from '../../../models/recipe/render/scenes.ts';

const models = namedObjects.map(({ id }) => id);

it.each([
  ['models', untaughtModels, models],
  ['scenes', untaughtScenes, scenes.map(({ key }) => key)],
])('what is left out of the %s is in the list', (_, chosen, all) => {
  expect([...chosen].filter((name) => !all.includes(name))).toEqual([]);
  expect(chosen.size).toBeGreaterThan(0);
});

it('each noun that is taught has something to show besides what is held out', () => {
  const held = heldOutIds();
  const shown = namedObjects.filter(({ id }) => !held.has(id) && !untaughtModels.has(id));
  const nouns = new Set([...shown, ...madeSubjects()].map(({ nouns }) => nouns[0]));
  expect([...taughtNouns.keys()].filter((noun) => !nouns.has(noun))).toEqual([]);
});

it('leaves at least 16 places besides plain backgrounds', () => {
  const places = scenes.filter(({ key }) => !untaughtScenes.has(key) && !key.startsWith('background-'));
  expect(places.length).toBeGreaterThanOrEqual(16);
});
