/** Places to draw a subject in; they follow "a photo of sks dog". Every Stable Diffusion model knows these. */
export const commonScenes: readonly string[] = [
  'in the snow',
  'on the beach',
  'in the forest',
  'on the grass',
  'in the desert',
  'in autumn leaves',
  'in front of a brick wall',
  'in the city',
];

/** Which of these scenes a prompt names. */
export function scenesIn(prompt: string, scenes: readonly string[]): string[] {
  const named = namedIn(prompt, scenes);
  return named
    ? prompt
        .slice(named.from, named.to)
        .replace(/^\{|\}$/g, '')
        .split('|')
    : [];
}

/**
 * The prompt with the `chosen` scenes in place of those it names. Several become a wildcard, `{in the snow|on the beach}`, which draws
 * each. A prompt that names none gets them before its first comma, or at its end.
 */
export function withScenes(prompt: string, chosen: readonly string[], scenes: readonly string[]): string {
  const text = chosen.length > 1 ? `{${chosen.join('|')}}` : (chosen[0] ?? '');
  const end = prompt.includes(',') ? prompt.indexOf(',') : prompt.length;
  const { from, to } = namedIn(prompt, scenes) ?? { from: end, to: end };
  const before = prompt.slice(0, from).trimEnd();
  return `${before}${text && ` ${text}`}${prompt.slice(to)}`.trim();
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** The first wildcard of nothing but scenes, or else the first scene. */
function namedIn(prompt: string, scenes: readonly string[]): Span | undefined {
  for (const { 0: group, index } of prompt.matchAll(/\{[^{}]+\}/g))
    if (
      group
        .slice(1, -1)
        .split('|')
        .every((part) => scenes.includes(part))
    )
      return { from: index, to: index + group.length };
  const spans = scenes.flatMap((scene) => {
    const from = prompt.indexOf(scene);
    const to = from + scene.length;
    return from < 0 || /\w/.test(`${prompt[from - 1] ?? ''}${prompt[to] ?? ''}`) ? [] : [{ from, to }];
  });
  return spans.toSorted((a, b) => a.from - b.from || b.to - a.to)[0];
}
