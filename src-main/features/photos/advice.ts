import { basename } from 'node:path';
import type { PhotoQuality } from '../../engine/evaluation/photoQuality.ts';
import { plural } from '../../../src-shared/plural.ts';

/** Something to do about a photo or the whole set. */
export interface Advice {
  readonly code: string;
  readonly message: string;
}

export interface PhotoFacts extends PhotoQuality {
  readonly width: number;
  readonly height: number;
  /** The square used for training: the middle one, unless a person chose another. */
  readonly crop: { readonly left: number; readonly top: number; readonly size: number };
  /** Share of the photo's edges outside that square; 0 where a person chose it. */
  readonly cropLoses: number;
  /** A person chose the square. */
  readonly chosen?: boolean;
}

/** Limits from real photos that were degraded by known amounts. */
const limits = {
  blur: 0.53,
  dark: 0.15,
  bright: 0.93,
  black: 0.5,
  contrast: 0.06,
  small: 256,
  aspect: 2,
  cropLoses: 0.3,
};

/** What to do about one photo; empty where it is good as it is. */
export function photoAdvice(facts: PhotoFacts): Advice[] {
  const { blur, brightness, tooDark, contrast, cropLoses, chosen = false } = facts;
  const { size } = facts.crop;
  const [width, height] = chosen ? [size, size] : [facts.width, facts.height];
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const edges = width > height ? 'left and right' : 'top and bottom';
  const isDark = brightness < limits.dark || tooDark > limits.black;
  const isBright = brightness > limits.bright;
  const found: (Advice | false)[] = [
    short < limits.small && {
      code: 'small',
      message: `${chosen ? 'the crop' : 'it'} is ${width}×${height}; ${chosen ? 'crop less of it, or take a photo' : 'take one'} of at least 512 pixels a side, because enlarging adds nothing`,
    },
    blur > limits.blur && {
      code: 'blurred',
      message: 'nothing in it is sharp; take it again with a steady hand and more light, or leave it out',
    },
    isDark && {
      code: 'dark',
      message: 'it is too dark to show the subject; brighten it or take it again in more light',
    },
    isBright && {
      code: 'bright',
      message: 'it is overexposed; darken it or take it again in softer light',
    },
    !(isDark || isBright) &&
      contrast < limits.contrast && {
        code: 'flat',
        message: 'there is hardly any contrast in it; leave it out, or take it again in other light',
      },
    long / short > limits.aspect && {
      code: 'aspect',
      message: `it is ${width}×${height}, far from square; crop it to the subject yourself`,
    },
    long / short <= limits.aspect &&
      cropLoses > limits.cropLoses && {
        code: 'crop',
        message: `the middle square loses ${Math.round(100 * cropLoses)}% of what is in it, at the ${edges}; crop it to the subject if that is where it is`,
      },
  ];
  return found.filter((advice) => advice !== false);
}

export interface SetFacts {
  readonly count: number;
  /** Pairs that are the same photo twice. */
  readonly duplicates: readonly (readonly [string, string])[];
  /** Mean distance of the photos by MobileNetV2; null for one photo alone. */
  readonly variety: number | null;
}

const few = 4;
const many = 30;
/** Below this, all photos show one side in one place and light: varied sets have 0.22 to 0.40 (nine sets, real and rendered). */
const uniform = 0.1;

/** "a.jpg and b.jpg, c.jpg and d.jpg, and 3 more pairs are" */
function pairsInWords(pairs: SetFacts['duplicates']): string {
  const named = pairs.slice(0, 3).map(([a, b]) => `${basename(a)} and ${basename(b)}`);
  const more = pairs.length - named.length;
  return `${named.join(', ')}${more > 0 ? `, and ${plural(more, 'more pair', 'more pairs')}` : ''} are`;
}

/** What to do about the set as a whole. */
export function setAdvice({ count, duplicates, variety }: SetFacts): Advice[] {
  const found: (Advice | false)[] = [
    count === 0 && {
      code: 'none',
      message: 'there is no photo that can be used; add 4 to 6',
    },
    count > 0 &&
      count < few && {
        code: 'few',
        message: `${plural(count, 'photo is', 'photos are')} few; 4 to 6, from different sides and in different places, teach the subject better`,
      },
    count > many && {
      code: 'many',
      message: `${count} photos are more than needed; choose the best 5 to 20`,
    },
    duplicates.length > 0 && {
      code: 'duplicates',
      message: `${pairsInWords(duplicates)} nearly the same; keep one of each, or the model learns that picture by heart`,
    },
    variety !== null &&
      variety < uniform && {
        code: 'uniform',
        message: 'all photos look alike; add some from other sides, in other places and in other light',
      },
  ];
  return found.filter((advice) => advice !== false);
}
