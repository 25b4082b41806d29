import type {
  Estimate,
  RunScore,
  ScoredCheckpoint,
  SubjectScore,
} from '../../../src-shared/domain/runScore.ts';

/** Share of the distance to the photos beyond which the class has moved too far. */
const leaked = 0.3;
/** Share of the base model's variety below which pictures are too much alike. */
const alike = 0.5;
/** Editability below which prompts are hardly followed. */
const deaf = 0.25;

type Told = (one: ScoredCheckpoint) => string | undefined;

/** What is wrong with a run's checkpoints: sentences that say what to do. */
export function alarmsOf(score: RunScore): string[] {
  return [
    ...[copied, leaking, unvaried(score), unheeding].flatMap((told) => inWords(score.checkpoints, told)),
    ...(score.subjects ?? []).flatMap(mixedUp),
  ];
}

/** Share of pictures, beyond that of the photos themselves, from which two subjects count as mixed up. */
const manyMixed = 0.1;

function mixedUp({ name, photos, checkpoints }: SubjectScore): string[] {
  return inWords(checkpoints, ({ mixing }) => {
    if (mixing.mixed - photos.mixing.mixed < manyMixed) return undefined;
    const [nearest] = [...mixing.others].sort((a, b) => b.likeness.value - a.likeness.value);
    return `${percent(mixing.mixed)} of the pictures of ${name} look more like ${nearest?.name ?? 'another subject'}. Train for more steps, give the two class nouns that differ, or train each in a run of its own.`;
  });
}

/** One sentence for all checkpoints with the fault, with the figures of the last one. */
function inWords<T extends { readonly step: number }>(
  checkpoints: readonly T[],
  told: (one: T) => string | undefined,
): string[] {
  const found = checkpoints.filter((one) => told(one) !== undefined);
  const last = found.at(-1);
  if (!last) return [];
  const steps = found.map(({ step }) => String(step));
  const named =
    steps.length === 1 ? `Step ${steps[0]}` : `Steps ${steps.slice(0, -1).join(', ')} and ${steps.at(-1)}`;
  return [`${named}: ${told(last)}`];
}

const copied: Told = ({ memorization }) =>
  memorization.copies.length === 0
    ? undefined
    : `${percent(memorization.share)} of the pictures are nearly one of your photos. They were asked for in its place, or it has been learnt by heart: ask for other places, or keep an earlier checkpoint.`;

const leaking: Told = ({ figures }) => {
  const [leak] = named(figures, 'class leak').sort((a, b) => b.value - a.value);
  if (!leak || leak.value < leaked || leak.low <= 0) return undefined;
  return `asked for any other of its kind, it draws your subject. The class has come ${percent(leak.value)} of the way to your photos (between ${percent(leak.low)} and ${percent(leak.high)}). Keep an earlier checkpoint, or train with class pictures.`;
};

const unvaried =
  ({ base }: RunScore): Told =>
  ({ figures }) => {
    const [variety] = named(figures, 'variety');
    const [before] = named(base, 'variety');
    if (!variety || !before || variety.high >= alike * before.value) return undefined;
    return `its pictures are too much alike, with ${percent(variety.value / before.value)} of the variety of the base model's. Keep an earlier checkpoint, or train on more varied photos.`;
  };

const unheeding: Told = ({ reach }) =>
  reach.editability >= deaf
    ? undefined
    : `it hardly does what the prompt says any more (${percent(Math.max(0, reach.editability))} of what the base model does). Keep an earlier checkpoint, or train for fewer steps.`;

/** The figures of this name, whatever features they were measured with. */
function named(figures: RunScore['base'], what: string): Estimate[] {
  return Object.entries(figures).flatMap(([name, value]) => (name.startsWith(what) && value ? [value] : []));
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
