/** `card` with each {{name}} replaced. Errors: a name that `figures` lacks, a figure that the card has no place for. */
export function fillCard(card: string, figures: Readonly<Record<string, string>>): string {
  const unused = new Set(Object.keys(figures));
  const filled = card.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const figure = figures[name];
    if (figure === undefined) throw new Error(`There is no figure for {{${name}}}.`);
    unused.delete(name);
    return figure;
  });
  if (unused.size > 0) throw new Error(`The card has no place for ${[...unused].join(', ')}.`);
  return filled;
}
