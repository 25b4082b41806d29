import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { isFile } from '../../engine/checkpoints/files.ts';
import { writeNpz } from '../../engine/checkpoints/npy.ts';
import { prepareOutput } from '../../engine/checkpoints/outputFile.ts';
import { ClipFeatures } from '../../engine/evaluation/clip.ts';
import {
  covariance,
  frechetDistance,
  statisticsFrom,
  statisticsOf,
  type Statistics,
} from '../../engine/evaluation/fid.ts';
import { InceptionFeatures } from '../../engine/evaluation/inceptionFeatures.ts';
import { inceptionScore } from '../../engine/evaluation/inceptionScore.ts';
import { kernelDistance } from '../../engine/evaluation/kid.ts';
import type { Pause } from '../../engine/evaluation/linalg.ts';
import { MobileNetFeatures } from '../../engine/evaluation/mobileNetFeatures.ts';
import { meanOfPartners } from '../../engine/evaluation/features.ts';
import { readFeatureSet, stacked, type FeatureSet } from './featureSet.ts';
import { look } from './look.ts';
import type { SetRequest } from './request.ts';
import { picturesOf, promptsOf } from './subject.ts';

/** A figure is null where something it needs was not given; a note says what. */
export interface SetScores {
  readonly fid: number | null;
  readonly kid: number | null;
  readonly kidStd: number | null;
  /** Pictures in each of KID's subsets. */
  readonly kidSubset: number | null;
  readonly is: number | null;
  readonly isStd: number | null;
  readonly clipScore: number | null;
  /**
   * The same distances in MobileNetV2's features, where Inception was not given: comparable with each other, never with a
   * published FID.
   */
  readonly mobileNet: { readonly frechet: number; readonly kid: number } | null;
}

/**
 * FID, KID and Inception Score of a set of pictures against another, and its CLIP score (Hessel et al. 2021, as torchmetrics scales it).
 * Errors: `features.few`, `features.unfit`, `evaluate.counts`, those of the readers.
 */
export async function evaluateSet(request: SetRequest, context: JobContext): Promise<SetScores> {
  const { images, reference, inception, clip, prompts } = request;
  const note = (message: string): void => context.report({ type: 'note', message });
  const pause: Pause = async () => {
    await new Promise(setImmediate);
    context.signal.throwIfAborted();
  };
  if (request.saveStats !== undefined) await prepareStatistics(request.saveStats);
  const folders = [images, reference].filter((path) => path !== undefined && !isFile(path));
  const network =
    inception === undefined
      ? undefined
      : await InceptionFeatures.open(inception, request.resize, request.provider);
  const clipScore =
    clip !== undefined && prompts !== undefined ? await clipScoreOf(clip, prompts, request, context) : null;
  if (clipScore === null) note('The CLIP score is left out: it needs a CLIP model and prompts.');
  const scores = {
    ...{ fid: null, kid: null, kidStd: null, kidSubset: null, is: null, isStd: null, mobileNet: null },
    clipScore,
  };
  try {
    if (folders.length && !network) {
      note("FID, KID and Inception Score are left out: they need Inception's weights.");
      const [first, second] = folders;
      if (first === undefined || second === undefined || request.mobileNet === undefined) return scores;
      const mobileNet = await withMobileNet(request.mobileNet, [first, second], context, pause);
      return { ...scores, mobileNet };
    }
    const read = (path: string): Promise<FeatureSet> => seen(path, network, context);
    const made = await read(images);
    if (request.saveStats !== undefined) await saveStatistics(request.saveStats, made);
    const inceptionScores = made.logits && inceptionScore(made.logits);
    if (!inceptionScores) note(`The Inception Score is left out: ${images} holds no logits.`);
    const distances =
      reference === undefined ? undefined : await distancesOf(made, await read(reference), pause, note);
    if (!distances) note('FID and KID are left out: they need a set to compare with.');
    return {
      ...scores,
      ...distances,
      ...(inceptionScores && { is: inceptionScores.mean, isStd: inceptionScores.std }),
    };
  } finally {
    await network?.dispose();
  }
}

async function seen(
  path: string,
  network: InceptionFeatures | undefined,
  context: JobContext,
): Promise<FeatureSet> {
  if (isFile(path) || !network) return readFeatureSet(path);
  const views = await look(network, await picturesOf(path), `Inception, ${path}`, context);
  return {
    source: path,
    features: stacked(views.map(({ features }) => features)),
    logits: stacked(views.map(({ logits }) => logits)),
  };
}

async function distancesOf(
  a: FeatureSet,
  b: FeatureSet,
  pause: Pause,
  note: (message: string) => void,
): Promise<Pick<SetScores, 'fid' | 'kid' | 'kidStd' | 'kidSubset'>> {
  const widths = [a, b].map(({ features, statistics }) => features?.columns ?? statistics?.mu.length);
  if (widths[0] !== widths[1])
    throw problem('features.unfit', {
      file: b.source,
      why: `its features are ${widths[1] ?? 0} wide, those of ${a.source} ${widths[0] ?? 0}`,
    });
  const fid = await frechetDistance(await gaussian(a, pause), await gaussian(b, pause), pause);
  if (!a.features || !b.features) {
    note('KID is left out: it needs features, not only their statistics.');
    return { fid, kid: null, kidStd: null, kidSubset: null };
  }
  const { mean, std, size } = await kernelDistance(a.features, b.features, pause);
  if (size < 1000)
    note(
      `KID was computed on subsets of ${size} pictures, as a set has no more; published figures use 1000.`,
    );
  return { fid, kid: mean, kidStd: std, kidSubset: size };
}

async function gaussian({ source, features, statistics }: FeatureSet, pause: Pause): Promise<Statistics> {
  if (statistics && !features) return statisticsFrom(statistics.mu, statistics.sigma, pause);
  if (!features) throw problem('features.unfit', { file: source, why: 'it has no features' });
  if (features.rows < 2) throw problem('features.few', { file: source, pictures: features.rows });
  return statisticsOf(features, pause);
}

/** Errors: those of `prepareOutput`. */
function prepareStatistics(file: string): Promise<void> {
  const isOurs = (): boolean => readFeatureSet(file).statistics !== undefined;
  return prepareOutput(file, "a file of a set's statistics", isOurs);
}

async function saveStatistics(file: string, { source, features }: FeatureSet): Promise<void> {
  if (!features || features.rows < 2)
    throw problem('features.few', { file: source, pictures: features?.rows ?? 0 });
  const { rows, columns, data } = features;
  const mu = new Float64Array(columns);
  for (let i = 0; i < data.length; i++)
    mu[i % columns] = (mu[i % columns] as number) + (data[i] as number) / rows;
  const sigma = await covariance(features);
  writeNpz(file, {
    mu: { shape: [columns], data: mu },
    sigma: { shape: [columns, columns], data: sigma.data },
  });
}

/** Features scaled to length √d, so that the kernel's x·y/d is their cosine. */
async function withMobileNet(
  file: string,
  [a, b]: readonly [string, string],
  context: JobContext,
  pause: Pause,
): Promise<{ frechet: number; kid: number }> {
  const network = await MobileNetFeatures.open(file);
  try {
    const setOf = async (folder: string): Promise<FeatureSet> => {
      const vectors = await look(network, await picturesOf(folder), `MobileNetV2, ${folder}`, context);
      const longer = vectors.map((vector) => vector.map((value) => value * Math.sqrt(vector.length)));
      return { source: folder, features: stacked(longer) };
    };
    const { fid, kid } = await distancesOf(await setOf(a), await setOf(b), pause, () => undefined);
    return { frechet: fid ?? NaN, kid: kid ?? NaN };
  } finally {
    await network.dispose();
  }
}

/** 100 times the mean cosine of picture and prompt, at least 0. */
async function clipScoreOf(
  folder: string,
  prompts: string,
  { images, provider }: SetRequest,
  context: JobContext,
): Promise<number> {
  const files = await picturesOf(images);
  const texts = promptsOf(prompts, images, files);
  const clip = await ClipFeatures.open(folder, provider);
  try {
    const pictures = await look(clip, files, 'CLIP', context);
    return Math.max(0, 100 * meanOfPartners(pictures, await clip.prompts(texts)));
  } finally {
    await clip.dispose();
  }
}
