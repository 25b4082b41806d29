import { withArticle } from '../render/article.ts';
import type { Random } from '../render/random.ts';

/** What is known about a picture. */
export interface Shown {
  /** The class noun first, then what else people call it; none for a place with nothing in it. */
  nouns: string[];
  color?: string;
  /** Wordings of the place that follow the noun. */
  phrases: string[];
  view?: string;
}

/** Several captions of one picture, the fullest first; lower case ASCII. */
export function captionsOf(shown: Shown, random: Random): string[] {
  const place = shown.phrases[0] ?? '';
  const otherPlace = random.pick(shown.phrases);
  if (shown.nouns.length === 0)
    return [`a photo taken ${place}`, `a photo taken ${otherPlace}`, place, otherPlace];
  const noun = shown.nouns[0] ?? '';
  const other = random.pick(shown.nouns);
  const colored = (n: string) =>
    withArticle(shown.color && !n.includes(shown.color) ? `${shown.color} ${n}` : n, n);
  const bare = (n: string) => withArticle(n, n);
  const captions = [
    `a photo of ${colored(noun)} ${place}`,
    `${colored(noun)} ${otherPlace}`,
    `${bare(noun)} ${place}`,
    `a photo of ${bare(other)} ${otherPlace}`,
    random.chance(0.5) ? `a photo of ${colored(other)}` : colored(noun),
    `${shown.color && !noun.includes(shown.color) ? `${shown.color} ${noun}` : noun} ${otherPlace}`,
  ];
  if (shown.view) captions.push(`a photo of ${colored(noun)} ${otherPlace}, seen ${shown.view}`);
  return captions;
}
