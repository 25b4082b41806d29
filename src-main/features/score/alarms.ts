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

/** A fault of a checkpoint, and what helps besides keeping a checkpoint that does not have it. */
interface Fault {
  readonly finding: string;
  readonly remedy: string;
}

type FaultOf = (one: ScoredCheckpoint) => Fault | undefined;

/** What is wrong with a run's checkpoints: sentences that say what to do. */
export function alarmsOf(score: RunScore): string[] {
  return [
    ...[copied, leaking, unvaried(score), unheeding].flatMap((faultOf) =>
      inWords(score.checkpoints, faultOf, ({ finding, remedy }, sound) => {
        const keep = sound === undefined ? '' : `keep ${sound} checkpoint, or `;
        return `${finding} ${capitalised(keep + remedy)}.`;
      }),
    ),
    ...(score.subjects ?? []).flatMap(mixedUp),
  ];
}

/** Share of pictures, beyond that of the photos themselves, from which two subjects count as mixed up. */
const manyMixed = 0.1;

function mixedUp({ name, photos, checkpoints }: SubjectScore): string[] {
  const faultOf = ({ mixing }: SubjectScore['checkpoints'][number]): string | undefined => {
    if (mixing.mixed - photos.mixing.mixed < manyMixed) return undefined;
    const [nearest] = [...mixing.others].sort((a, b) => b.likeness.value - a.likeness.value);
    return `${percent(mixing.mixed)} of the pictures of ${name} look more like ${nearest?.name ?? 'another subject'}. Train for more steps, give the two class nouns that differ, or train each in a run of its own.`;
  };
  return inWords(checkpoints, faultOf, (words) => words);
}

/** Sentences for all checkpoints with the fault, with the figures of the last one. */
function inWords<T extends { readonly step: number }, F>(
  checkpoints: readonly T[],
  faultOf: (one: T) => F | undefined,
  words: (fault: F, sound: 'an earlier' | 'another' | undefined) => string,
): string[] {
  const found = checkpoints.flatMap((one) => {
    const fault = faultOf(one);
    return fault === undefined ? [] : [{ step: one.step, fault }];
  });
  const last = found.at(-1);
  if (!last) return [];
  const steps = found.map(({ step }) => String(step));
  const named =
    steps.length === 1 ? `Step ${steps[0]}` : `Steps ${steps.slice(0, -1).join(', ')} and ${steps.at(-1)}`;
  const sound =
    checkpoints[0]?.step !== found[0]?.step
      ? 'an earlier'
      : found.length < checkpoints.length
        ? 'another'
        : undefined;
  return [`${named}: ${words(last.fault, sound)}`];
}

const copied: FaultOf = ({ memorization }) =>
  memorization.copies.length === 0
    ? undefined
    : {
        finding: `${percent(memorization.share)} of the pictures are nearly one of your photos. They were asked for in its place, or it has been learnt by heart.`,
        remedy: 'ask for other places',
      };

const leaking: FaultOf = ({ figures }) => {
  const [leak] = named(figures, 'class leak').sort((a, b) => b.value - a.value);
  if (!leak || leak.value < leaked || leak.low <= 0) return undefined;
  return {
    finding: `asked for any other of its kind, it draws your subject. The class has come ${percent(leak.value)} of the way to your photos (between ${percent(leak.low)} and ${percent(leak.high)}).`,
    remedy: 'train with class pictures',
  };
};

const unvaried =
  ({ base }: RunScore): FaultOf =>
  ({ figures }) => {
    const [variety] = named(figures, 'variety');
    const [before] = named(base, 'variety');
    if (!variety || !before || variety.high >= alike * before.value) return undefined;
    return {
      finding: `its pictures are too similar, with ${percent(variety.value / before.value)} of the base model's variety.`,
      remedy: 'train on more varied photos',
    };
  };

const unheeding: FaultOf = ({ reach }) =>
  reach.editability >= deaf
    ? undefined
    : {
        finding: `it hardly does what the prompt says any more (${percent(Math.max(0, reach.editability))} of what the base model does).`,
        remedy: 'train for fewer steps',
      };

/** The figures of this name, whatever features they were measured with. */
function named(figures: RunScore['base'], what: string): Estimate[] {
  return Object.entries(figures).flatMap(([name, value]) => (name.startsWith(what) && value ? [value] : []));
}

function capitalised(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}
