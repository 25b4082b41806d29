import type { Random } from './random.ts';

/** What is known about a picture. */
export interface Shown {
  /** The class noun first, then what else people call it. */
  nouns: string[];
  color?: string;
  /** Wordings of the place that follow the noun. */
  phrases: string[];
  view?: string;
  /** `photo` for rendered objects, `emoji` for 3D emoji, `place` when nothing stands there. */
  style: 'photo' | 'emoji' | 'place';
  /** The noun also exists as photographed object, so a plain caption would mean that. */
  ambiguous: boolean;
}

/** Nouns that take no article, and plurals that do not end in s. */
const withoutArticle = new Set(
  'bread,butter,bacon,sushi,popcorn,salad,spaghetti,firewood,broccoli,garlic,cheese,coral,corn,fire,luggage,soap,toilet paper'.split(
    ',',
  ),
);
const singularInS = new Set(
  'glass,cactus,dress,octopus,christmas tree,compass,bus,walrus,lotus,cockroach,glass,hibiscus,cocktail glass'.split(
    ',',
  ),
);

/** "a chair", "an armchair", "sneakers", "bread". */
export function withArticle(words: string, noun: string): string {
  const last = noun.split(' of ')[0] ?? noun;
  const plural = /[^s]s$/.test(last) && !singularInS.has(last) && !/(ss|us|is)$/.test(last);
  if (plural || withoutArticle.has(noun)) return words;
  return `${/^[aeiou]/.test(words) && !/^(uni|ufo)/.test(words) ? 'an' : 'a'} ${words}`;
}

/** Several captions of one picture, the fullest first; lower case ASCII. */
export function captionsOf(shown: Shown, random: Random): string[] {
  const place = shown.phrases[0] ?? '';
  const otherPlace = random.pick(shown.phrases);
  if (shown.style === 'place')
    return [`a photo taken ${place}`, `a photo taken ${otherPlace}`, place, otherPlace];
  const noun = shown.nouns[0] ?? '';
  const other = random.pick(shown.nouns);
  const colored = (n: string) =>
    withArticle(shown.color && !n.includes(shown.color) ? `${shown.color} ${n}` : n, n);
  const bare = (n: string) => withArticle(n, n);
  if (shown.style === 'emoji') {
    const captions = [
      `a 3d emoji of ${bare(noun)} ${place}`,
      `${withArticle(`${other} emoji`, 'emoji')} ${otherPlace}`,
      `a cartoon of ${bare(other)} ${otherPlace}`,
      `a 3d emoji of ${bare(noun)}`,
    ];
    if (!shown.ambiguous) captions.push(`${bare(noun)} ${otherPlace}`, bare(noun));
    return captions;
  }
  const captions = [
    `a photo of ${colored(noun)} ${place}`,
    `${colored(noun)} ${otherPlace}`,
    `${bare(noun)} ${place}`,
    `a photo of ${bare(other)} ${otherPlace}`,
    random.chance(0.5) ? `a photo of ${colored(other)}` : colored(noun),
  ];
  if (shown.view) captions.push(`a photo of ${colored(noun)} ${otherPlace}, seen ${shown.view}`);
  return captions;
}
