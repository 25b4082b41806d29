import { subjectPrompt } from '../../../src-main/engine/training/data/prompts.ts';
import { finetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import type { Guidance } from '../../../src-shared/domain/guidance.ts';
import { cosine, type Features } from '../../../src-main/engine/evaluation/features.ts';
import { openTokenizer } from '../../../src-main/engine/pipelines/openTokenizer.ts';
import type { Picture } from '../../../src-main/engine/pictures/pixels.ts';
import { TextToImage } from '../../../src-main/engine/pipelines/textToImage.ts';
import { finetune } from '../../../src-main/engine/training/run/finetune.ts';
import { openRun } from '../../../src-main/features/export/openRun.ts';
import { ownScenes, ownSettings } from '../../../src-main/features/training/ownSettings.ts';
import { photoScenes } from '../../../src-main/features/training/photoScenes.ts';
import { side } from '../settings.ts';
import type { Gallery } from './gallery.ts';
import type { Subject } from './subjects.ts';
import type { Variant } from './variants.ts';

/** Where the subjects are asked to be. */
const scenes = ['in the snow', 'on the beach', 'in the forest', 'in front of a brick wall'];
const firstSeed = 500;
/** Pictures that are drawn at once. */
const together = 4;

/** One checkpoint of one subject. Shares are of its pictures. */
export interface Outcome {
  readonly step: number;
  /** Whose nearest subject is the right one. */
  readonly right: number;
  /** Mean cosine to the subject's photos. */
  readonly own: number;
  /** Whose scene is, of the four, the one asked for, by the shipped scorer. */
  readonly scene: number;
  /** Processor seconds from the photos to this checkpoint and its first pictures. */
  readonly cpuSeconds: number;
}

export interface Trial {
  readonly model: string;
  /** Where the run is, and where class pictures are kept. */
  readonly run: string;
  readonly cache: string;
  readonly guidance: Guidance;
  /** Pictures a scene, and denoising steps. */
  readonly seeds: number;
  readonly drawSteps: number;
}

export interface Judges {
  readonly gallery: Gallery;
  readonly scorer: Features & Required<Pick<Features, 'prompts'>>;
}

/** Finetunes on one subject as `variant` says, draws it in every scene at each of the steps, and measures. */
export async function tryOut(
  trial: Trial,
  subject: Subject,
  { settings: asked, ...variant }: Variant,
  { gallery, scorer }: Judges,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly pictures: readonly Picture[] }> {
  const { model, run, cache, seeds, guidance, drawSteps } = trial;
  const { classNoun, folder: photos } = subject;
  const context = { report: () => undefined, signal: new AbortController().signal };
  const begun = cpuSeconds();
  const complete = completeSettings(
    finetuneSettings,
    { ...asked, classNoun, photos, ...(variant.steps && { steps: Math.max(...variant.steps) }) },
    { size: side, ...ownSettings(model), model },
  );
  const steps = variant.steps ?? [complete.steps];
  const settings = {
    photoScenes: await photoScenes({ model, photos, classNoun }, ownScenes(model), context),
    ...complete,
    ...{ checkpointEvery: steps.reduce((a, b) => divisor(a, b)), sampleEvery: null },
    provider: 'cpu' as const,
  };
  const reached = new Map<number, number>();
  await finetune(
    { settings, out: run, version: 'sweep', cache },
    {
      ...context,
      report: (event) => {
        if (event.type === 'checkpoint') reached.set(event.step, cpuSeconds() - begun);
      },
    },
  );

  const requests = scenes.flatMap((scene, s) =>
    Array.from({ length: seeds }, (_, i) => ({
      prompt: `${subjectPrompt(settings)} ${scene}`,
      seed: firstSeed + s * 100 + i,
    })),
  );
  const sampling = { steps: drawSteps, ...guidance, width: side, height: side, batch: together };
  const plain = await scorer.prompts(scenes.map((scene) => `a photo of a ${classNoun} ${scene}`));
  const outcomes: Outcome[] = [];
  const pictures: Picture[] = [];
  for (const step of steps) {
    const opened = openRun(run, step);
    const pipeline = new TextToImage(opened.model, await openTokenizer(opened.model), opened.networks);
    const drawn: Picture[] = [];
    const start = cpuSeconds();
    let first: number | undefined;
    for await (const { picture } of pipeline.generate(requests, sampling)) {
      first ??= cpuSeconds() - start;
      drawn.push(picture);
    }
    await pipeline.dispose();
    const found = await gallery.nearest(drawn, subject.name);
    const sceneOf = (vector: Float32Array): number => {
      const near = plain.map((text) => cosine(vector, text));
      return near.indexOf(Math.max(...near));
    };
    const shown = (await scorer.pictures(drawn)).map(sceneOf);
    outcomes.push({
      step,
      right: share(found, ({ nearest }) => nearest === subject.name),
      own: rounded(found.reduce((sum, { own }) => sum + own, 0) / drawn.length),
      scene: share(shown, (scene, i) => scene === Math.floor(i / seeds)),
      cpuSeconds: Math.round((reached.get(step) ?? 0) + (first ?? 0)),
    });
    pictures.push(...drawn);
  }
  return { outcomes, pictures };
}

function share<T>(all: readonly T[], is: (one: T, place: number) => boolean): number {
  return rounded(all.filter(is).length / all.length);
}

function rounded(value: number): number {
  return Math.round(1000 * value) / 1000;
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
