/** Nouns that take no article, and plurals that do not end in s. */
const withoutArticle = new Set(
  'bread,butter,bacon,sushi,popcorn,salad,spaghetti,firewood,broccoli,garlic,cheese,coral,corn,fire,luggage,soap,toilet paper'.split(
    ',',
  ),
);
const singularInS = new Set(
  'glass,cactus,dress,octopus,christmas tree,compass,bus,walrus,lotus,cockroach,hibiscus,cocktail glass'.split(
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
