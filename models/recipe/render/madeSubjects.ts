/**
 * Objects built by rule, new ones for every picture: they give the common class nouns (vase, mug, can, toy, backpack…)
 * the variety that a handful of catalogue models cannot.
 */
import { namedColors } from './colors.ts';
import type { ColorName, Rgb } from './colors.ts';
import { backpack, book, cactus, candle, clock, lamp, mushroom } from './householdThings.ts';
import { MeshBuilder } from './meshBuilder.ts';
import type { Mesh } from './mesh.ts';
import type { Subject } from './objects.ts';
import { plushToys } from './plushToys.ts';
import type { Rule } from './rules.ts';
import { ball, blocks, house, robot, toyCar } from './toys.ts';
import { bottle, bowl, can, mug, teapot, vase } from './vessels.ts';

const bright: ColorName[] = [
  'red',
  'red',
  'orange',
  'yellow',
  'green',
  'turquoise',
  'blue',
  'blue',
  'purple',
  'pink',
  'white',
  'black',
  'brown',
  'gray',
];

const rules: Rule[] = [
  { nouns: ['vase'], weight: 4, build: vase },
  { nouns: ['bowl'], weight: 2, build: bowl },
  { nouns: ['mug', 'cup', 'coffee mug'], weight: 3.5, build: mug },
  { nouns: ['can', 'soda can', 'tin can'], weight: 3.5, build: can },
  { nouns: ['bottle'], weight: 2, build: bottle },
  { nouns: ['candle'], weight: 2.5, build: candle },
  { nouns: ['clock', 'alarm clock'], weight: 3.5, build: clock },
  { nouns: ['teapot'], weight: 3, build: teapot },
  { nouns: ['ball', 'toy ball'], weight: 2, build: ball },
  { nouns: ['backpack', 'bag'], weight: 4, build: backpack },
  { nouns: ['toy car', 'toy', 'car toy'], weight: 2.5, build: toyCar },
  { nouns: ['robot toy', 'robot', 'toy', 'toy robot'], weight: 3, build: robot },
  { nouns: ['lamp', 'table lamp'], weight: 1.5, build: lamp },
  { nouns: ['book'], weight: 2, build: book },
  { nouns: ['toy blocks', 'blocks', 'toy'], weight: 1, build: blocks, named: false },
  { nouns: ['cactus', 'potted cactus'], weight: 1.2, build: cactus, named: false },
  { nouns: ['mushroom'], weight: 1, build: mushroom, colors: ['red', 'red', 'brown', 'orange', 'purple'] },
  { nouns: ['toy house', 'house'], weight: 1.2, build: house },
  ...plushToys,
];

/** The same interface as the catalogue's models. */
export function madeSubjects(): Subject[] {
  return rules.map((rule) => ({
    id: `made/${(rule.nouns[0] ?? '').replaceAll(' ', '-')}`,
    nouns: rule.nouns,
    weight: rule.weight,
    natural: false,
    load(random): Promise<{ mesh: Mesh; color?: ColorName }> {
      const color = random.pick(rule.colors ?? bright);
      const builder = new MeshBuilder();
      const shade = namedColors[color].map((c) => c * random.range(0.85, 1.12)) as Rgb;
      rule.build(builder, random, shade);
      return Promise.resolve({ mesh: builder.build(), ...(rule.named === false ? {} : { color }) });
    },
  }));
}
