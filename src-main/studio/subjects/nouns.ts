import path from 'node:path';
import * as z from 'zod';
import { readKept } from '../../readKept.ts';
import { ownNouns } from '../../features/training/ownSettings.ts';

/** Common subjects, as plain class nouns. */
const things = [
  ...['dog', 'cat', 'rabbit', 'horse', 'bird', 'cow', 'pig', 'fox', 'turtle', 'frog', 'owl', 'fish'],
  ...['person', 'man', 'woman', 'boy', 'girl', 'teddy bear', 'toy', 'stuffed animal', 'robot', 'rubber duck'],
  ...['dinosaur', 'mug', 'cup', 'bowl', 'vase', 'teapot', 'bottle', 'candle', 'lamp', 'clock', 'book'],
  ...['backpack', 'bag', 'suitcase', 'basket', 'hat', 'cap', 'shirt', 'jacket', 'sneaker', 'shoe', 'boot'],
  ...[
    'ball',
    'sunglasses',
    'umbrella',
    'guitar',
    'chair',
    'armchair',
    'sofa',
    'plant',
    'cactus',
    'cake',
    'car',
  ],
  ...['bicycle', 'motorcycle', 'scooter', 'truck', 'boat', 'house'],
];

/**
 * The nouns that a model knows: those in its `likeness.json`, else words that its tokenizer does not split. All of them if it has no
 * vocabulary file.
 */
export function knownNouns(model: string): string[] {
  const own = ownNouns(model);
  if (own.length > 0) return [...own];
  const words = readKept(path.join(model, 'tokenizer', 'vocab.json'), z.record(z.string(), z.unknown()));
  if (!words) return [...things];
  return things.filter((thing) => thing.split(' ').every((word) => `${word}</w>` in words));
}
