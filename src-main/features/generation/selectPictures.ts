import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { randomInt } from 'node:crypto';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { Upscale } from '../../../src-shared/domain/upscale.ts';
import { makeFolder } from '../../engine/checkpoints/files.ts';
import { removeLeftovers } from '../../engine/checkpoints/leftovers.ts';
import { readRecipe } from '../../engine/pictures/png.ts';
import { generate, type GenerateListeners, type MadePicture } from './generate.ts';
import { Journal } from './journal.ts';
import { LikenessMeter, type LikenessRequest } from './likenessMeter.ts';
import { PictureNames } from './pictureNames.ts';
import type { GenerateRequest } from './request.ts';
import { WarmModel } from './warmModel.ts';
import { upscale } from '../upscale.ts';

/** Which of many tries are kept: those that are most like a subject. */
export interface Selection {
  /** Tries for each picture, of which the most alike is kept; or until so many are at least this like it. */
  readonly by: { readonly bestOf: number } | { readonly untilLike: number };
  readonly likeness: LikenessRequest;
}

/** Tries for each picture that is wanted, before `untilLike` gives up. */
const mostTries = 25;
/** Drawn in one go. */
const atOnce = 8;

export interface LikePicture extends MadePicture {
  readonly likeness: number;
}

export interface Selected {
  readonly images: readonly LikePicture[];
  /** Pictures that were drawn, the kept ones among them. */
  readonly tried: number;
  /** Pictures that are kept though they are less alike than was asked for. */
  readonly short: number;
}

export interface SelectListeners extends Omit<GenerateListeners, 'onMade'> {
  /** Of all prompts together. */
  readonly onTried?: (tried: number, kept: number) => void;
  readonly onKept?: (picture: LikePicture) => void;
}

/**
 * Draws each prompt again and again, try k with seed + k, and keeps the pictures that are most like the subject's photos. Where too few
 * are as alike as was asked for after `mostTries` for each, the most alike take their places. Only what is kept is enlarged. Errors: those of `generate` and
 * `LikenessMeter.open`.
 */
export async function selectPictures(
  said: GenerateRequest,
  { by, likeness }: Selection,
  context: JobContext,
  version: string,
  { onTried, onKept, models, onJournal = (end) => end(), ...listeners }: SelectListeners = {},
): Promise<Selected> {
  const { count, out, goOn = false, ...asked } = said;
  // What is kept is enlarged, and resized, when it has been chosen.
  const { upscale: enlarging, resize, ...small } = asked;
  const tries = enlarging ? small : asked;
  makeFolder(out);
  const anySeed = said.seed ?? randomInt(2 ** 32 - 1);
  const journal = goOn ? Journal.open(out, { ...asked, count, by, likeness }) : undefined;
  const begun = journal?.part(0, {}, () => ({ seed: anySeed, batch: 1 }));
  const { seed } = begun?.choices ?? { seed: anySeed };
  removeLeftovers(out);
  const work = join(out, `.tries.${process.pid}.tmp`);
  const warm = models ?? new WarmModel();
  const meter = await LikenessMeter.open(likeness);
  const images: LikePicture[] = [];
  let [tried, short] = [0, 0];
  let isComplete = false;
  try {
    const names = new PictureNames(out);
    const keep = async (one: LikePicture): Promise<void> => {
      const index = images.length;
      // Kept before this command was interrupted: the same tries are drawn again, to the same bits.
      const path = begun?.before.get(index) ?? names.take(one.prompt, one.seed);
      const whole = enlarging ? await enlarged(one, enlarging) : one.path;
      begun?.made(index, path);
      renameSync(whole, path);
      if (whole !== one.path) rmSync(one.path, { force: true });
      images.push({ ...one, path });
      onKept?.({ ...one, path });
    };
    /** The same picture enlarged. Without a strength, nothing is drawn again for it. */
    const enlarged = async (one: MadePicture, { factor, strength }: Upscale): Promise<string> => {
      const quiet = { ...context, report: () => undefined };
      const { images: made } =
        strength === undefined && !resize
          ? await upscale({ pictures: one.path, factor, out: work, provider: asked.provider }, quiet)
          : await generate(
              { ...asked, prompts: [one.prompt], out: join(work, 'enlarged'), count: 1, seed: one.seed },
              quiet,
              version,
              { models: warm },
            );
      return made[0]?.path ?? one.path;
    };
    /** A picture that was kept before this command was interrupted; nothing if there is none in this place. */
    const keptBefore = async (): Promise<LikePicture | undefined> => {
      const path = begun?.before.get(images.length);
      if (path === undefined) return undefined;
      const { seed, prompt } = await readRecipe(path);
      return { path, seed, prompt, likeness: await meter.of(path, said.over?.mask) };
    };
    /** Try `first` and those behind it, measured. */
    const tryOut = async (prompt: string, first: number, number: number): Promise<LikePicture[]> => {
      const made = await generate(
        { ...tries, prompts: [prompt], out: work, count: number, seed: seed + first },
        {
          ...context,
          report: (event) => {
            if (event.type !== 'progress') context.report(event);
          },
        },
        version,
        { ...listeners, models: warm, enlargedLater: enlarging },
      );
      const measured: LikePicture[] = [];
      for (const one of made.images)
        measured.push({ ...one, likeness: await meter.of(one.path, said.over?.mask) });
      tried += number;
      onTried?.(tried, images.length);
      return measured;
    };
    const total = said.prompts.length * count;
    const progress = (): void =>
      context.report({ type: 'progress', done: images.length, total, label: 'pictures' });
    progress();
    for (const prompt of said.prompts) {
      if ('bestOf' in by)
        for (let i = 0; i < count; i++) {
          const before = await keptBefore();
          if (before) images.push(before);
          if (before) continue;
          const [best, ...others] = alikeFirst(await tryOut(prompt, i * by.bestOf, by.bestOf));
          if (best) await keep(best);
          for (const { path } of others) rmSync(path, { force: true });
          progress();
        }
      else {
        const refused: LikePicture[] = [];
        let [kept, first] = [0, 0];
        while (kept < count && first < mostTries * count) {
          const number = Math.min(atOnce, mostTries * count - first, Math.max(1, 2 * (count - kept)));
          for (const one of await tryOut(prompt, first, number)) {
            const isWanted = one.likeness >= by.untilLike && kept < count;
            if (!isWanted) refused.push(one);
            else {
              await keep(one);
              kept++;
            }
          }
          first += number;
          progress();
        }
        const stand = alikeFirst(refused).slice(0, count - kept);
        for (const one of stand) await keep(one);
        short += stand.length;
        for (const { path } of refused) rmSync(path, { force: true });
      }
    }
    onTried?.(tried, images.length);
    isComplete = true;
    if (short > 0 && 'untilLike' in by)
      context.report({ type: 'warning', message: shortOf(short, by.untilLike) });
    return { images, tried, short };
  } finally {
    await meter.dispose();
    if (!models) await warm.end?.();
    rmSync(work, { recursive: true, force: true });
    if (isComplete) onJournal(() => journal?.end());
  }
}

const alikeFirst = (pictures: readonly LikePicture[]): LikePicture[] =>
  [...pictures].sort((a, b) => b.likeness - a.likeness);

function shortOf(short: number, wanted: number): string {
  return `${short} of the pictures ${short === 1 ? 'is' : 'are'} less like the subject than ${wanted}: after ${mostTries} tries for each, the most alike were kept. A lower value, or a longer training, gets there.`;
}
