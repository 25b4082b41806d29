import type { photoVerdicts } from '../../../src-shared/domain/photoInfluence.ts';
import type { Figures } from './figures.ts';

type Verdict = (typeof photoVerdicts)[number];

/** Shares of what is learnt below which a difference is nothing to act on, however sure it is. */
const worthSaying = 0.05;
/** Part of what is learnt of a photo that comes from the others, below which it does not belong to them: others have 0.4 to 0.8. */
const hardly = 0.25;
/** Share of what a photo teaches alone from which its background is the larger part. */
const mostly = 0.5;

export interface PhotoFacts extends Figures {
  readonly name: string;
  /** "sks dog" */
  readonly subject: string;
  /** The run itself learnt from it with a mask. */
  readonly masked: boolean;
  /** Where it was taken, as far as the run's settings say: "on a wooden floor". */
  readonly scene?: string | undefined;
}

/** Figures of a photo whose run shows the subject in new places: there no background is learnt with it, whatever short runs without them learn. */
export function inNewPlaces(figures: Figures): Figures {
  return { ...figures, background: null };
}

/** What is said of a photo, and in which words. */
export function findingOf(facts: PhotoFacts): { readonly verdict: Verdict; readonly message: string } {
  const { name, subject, masked, scene, betterWithout, fromOthers, background } = facts;
  const percent = (share: number): string => `${Math.round(100 * Math.abs(share))}%`;
  const sure = betterWithout.low > 0 || betterWithout.high < 0;
  const matters = sure && Math.abs(betterWithout.value) >= worthSaying;
  if (matters && betterWithout.value > 0)
    return {
      verdict: 'hurts',
      message: `${name} hurts: the subject in the other photos is learnt ${percent(betterWithout.value)} better without it than without another photo. Leave it out if it does not show ${subject}, or shows it badly; mask it if something else fills it.`,
    };
  if (fromOthers && fromOthers.high < hardly)
    return {
      verdict: 'odd',
      message: `${name} does not fit: ${fromOthers.value <= 0 ? 'what the other photos teach makes it worse' : `the other photos teach only ${percent(fromOthers.value)} of it`}. If it does not show ${subject}, leave it out; if it does, as no other photo shows it, add photos like it.`,
    };
  if (background && background.low >= mostly)
    return {
      verdict: 'background',
      message: `${name} teaches its background${scene === undefined ? '' : ` (${scene})`}: that is ${percent(background.value)} of what is learnt from this photo alone. ${masked ? 'It has a mask; let the mask cover the subject alone, or let the background count less.' : 'Mask it.'}`,
    };
  if (matters)
    return {
      verdict: 'helps',
      message: `${name} helps: the subject in the other photos is learnt ${percent(betterWithout.value)} worse without it than without another photo.`,
    };
  return { verdict: 'little', message: `${name} makes no clear difference to the others.` };
}
