/** What is wrong with a photo's caption: a name in braces that stands for nothing, or nothing that stands for the subject. */
export type CaptionFault =
  { readonly kind: 'placeholder'; readonly name: string } | { readonly kind: 'untold' };

/** The fault of a caption, if it has one. `token`: the word that stands for the subject. */
export function captionFault(caption: string, token: string): CaptionFault | undefined {
  const name = [...caption.matchAll(/\{[^{}]*\}/g)].find(
    ([one]) => one !== '{token}' && one !== '{class}',
  )?.[0];
  if (name !== undefined) return { kind: 'placeholder', name };
  return caption.includes('{token}') || caption.includes(token) ? undefined : { kind: 'untold' };
}
