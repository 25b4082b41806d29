import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import type { Model } from '../../checkpoints/model.ts';
import { mean } from '../../graph/build.ts';
import { storedWeights } from '../../pipelines/weights.ts';
import { Session } from '../../runtime/session.ts';
import { noiseSchedule } from '../../schedulers/noiseSchedule.ts';
import { generatorFor } from '../../tensor/seeded.ts';
import { asF32, f32, i64, type HostTensor } from '../../tensor/tensor.ts';
import type { DiffusionBatch } from '../data/batch.ts';
import { drawBatch, type Dataset, type SubjectPicture } from '../data/dataset.ts';
import { withEnds, type LatentShape } from '../data/finetuneBatches.ts';
import { diffusionFeeds, diffusionLoss } from '../loss/diffusionLoss.ts';
import type { Trained } from '../loss/parameters.ts';

/** A photo to look at, and the dataset that it is in. */
export interface LookedAt {
  readonly picture: SubjectPicture;
  readonly dataset: Dataset;
}

/**
 * The squared error of what a network predicts for each photo, where in the picture it is: [noises,h,w] a photo, the mean over channels.
 * The noise is the same for every network, and none that a run is trained with. Timesteps are spread
 * over the noisier half, where a network needs what it knows of the subject: with little noise the picture itself gives the answer.
 */
export async function photoErrors(
  { model, trained, settings }: { model: Model; trained: Trained; settings: FinetuneSettings },
  learnt: Readonly<Record<string, HostTensor<'f32'>>>,
  photos: readonly LookedAt[],
  noises: number,
  { report, signal }: JobContext,
): Promise<HostTensor<'f32'>[]> {
  const schedule = noiseSchedule(model.scheduler, settings.model);
  const sessions = new Map<string, Session>();
  const sessionFor = async (latents: LatentShape): Promise<Session> => {
    const key = latents.join();
    const known = sessions.get(key);
    if (known) return known;
    const { adapters, words } = trained;
    const { squares } = diffusionLoss(model, { batch: 1, latents, words, ...(adapters && { adapters }) });
    const graph = { outputs: { errors: mean(squares, [1], true) } };
    const weights = storedWeights(graph, model, undefined, (name) => name in learnt);
    const session = await Session.compile(graph, { provider: settings.provider, weights });
    sessions.set(key, session);
    return session;
  };
  const total = photos.length * noises;
  const found: HostTensor<'f32'>[] = [];
  try {
    for (const [index, { picture, dataset }] of photos.entries()) {
      const session = await sessionFor(dataset.latents);
      const [, height, width] = dataset.latents;
      const data = new Float32Array(noises * height * width);
      for (let draw = 0; draw < noises; draw++) {
        signal.throwIfAborted();
        const batch = withEnds(model, batchOf(picture, dataset, index * noises + draw, draw, noises));
        const feeds = diffusionFeeds(batch, schedule, null, trained.words);
        const { errors } = await session.runHost({ ...feeds, ...learnt });
        data.set(asF32(errors).data, draw * height * width);
        report({ type: 'progress', done: index * noises + draw + 1, total, label: 'looking at photos' });
      }
      found.push(f32([noises, height, width], data));
    }
    return found;
  } finally {
    for (const session of sessions.values()) await session.dispose();
  }
}

/** One picture, noised as draw `index` says. */
function batchOf(
  picture: SubjectPicture,
  dataset: Dataset,
  index: number,
  draw: number,
  noises: number,
): DiffusionBatch {
  const alone = { ...dataset, subject: [picture], prior: undefined, batch: 1, masked: false };
  const seed = generatorFor(dataset.seed, 'held-out noise').randint(0, 2 ** 31 - 1, [1])[0] as number;
  const timestep = Math.floor((1 + (draw + 0.5) / noises) * (dataset.timesteps / 2));
  return { ...drawBatch({ ...alone, seed }, index), timesteps: i64([1], [timestep]) };
}
