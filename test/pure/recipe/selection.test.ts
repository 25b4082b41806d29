import { expect, it } from 'vitest';
import { emojiNouns } from '../../../models/recipe/emojiNouns.ts';
import { namedObjects } from '../../../models/recipe/objectNouns.ts';
import { scenes } from '../../../models/recipe/scenes.ts';
import { taughtEmoji, taughtObjects, untaughtScenes } from '../../../models/recipe/selection.ts';

it.each([
  ['objects', taughtObjects, namedObjects.map(({ nouns }) => nouns[0])],
  ['emoji', taughtEmoji, [...emojiNouns.values()].map((nouns) => nouns[0])],
  ['scenes', untaughtScenes, scenes.map(({ key }) => key)],
])('what is chosen of the %s is in the list', (_, chosen, all) => {
  expect([...chosen].filter((name) => !all.includes(name))).toEqual([]);
  expect(chosen.size).toBeGreaterThan(0);
});
