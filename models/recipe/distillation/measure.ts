import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DistillSettings } from '../../../src-shared/domain/distillSettings.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { frechetDistance, statisticsOf } from '../../../src-main/engine/evaluation/fid.ts';
import { kernelDistance } from '../../../src-main/engine/evaluation/kid.ts';
import type { Matrix } from '../../../src-main/engine/evaluation/linalg.ts';
import { LikenessScorer } from '../../../src-main/engine/evaluation/likenessScorer.ts';
import { MobileNetFeatures } from '../../../src-main/engine/evaluation/mobileNetFeatures.ts';
import { meanOfPartners } from '../../../src-main/engine/evaluation/subject.ts';
import { openTokenizer } from '../../../src-main/engine/pipelines/openTokenizer.ts';
import { listPictures, loadPicture } from '../../../src-main/engine/pipelines/pictures.ts';
import { encodePng } from '../../../src-main/engine/pipelines/png.ts';
import { TextToImage } from '../../../src-main/engine/pipelines/textToImage.ts';
import { storedWeights } from '../../../src-main/engine/pipelines/weights.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { Tensor } from '../../../src-main/engine/runtime/tensor.ts';
import {
  sharedSchedule,
  distillFeeds,
  distillLoss,
} from '../../../src-main/engine/training/loss/distillLoss.ts';
import { distillBatches } from '../../../src-main/engine/training/data/distillBatches.ts';
import { RunFolder } from '../../../src-main/engine/training/run/runFolder.ts';
import { stacked } from '../../../src-main/features/evaluation/featureSet.ts';
import { side, tunedGeneration } from '../modelConfig.ts';

/** Starting noises that every model shares; picture i of a set is drawn from seed i. */
const drawing = { steps: 25, guidance: tunedGeneration.guidance, width: side, height: side } as const;

export interface Scores {
  /** Fréchet distance and KID of MobileNetV2's features to real pictures: no FID. */
  readonly frechet: number;
  readonly kid: number;
  /** Mean cosine of picture and prompt by the shipped scorer. */
  readonly prompt: number;
}

/** Mean squared error of the prediction on pictures that no model has seen: always the same pictures, noise and timesteps. */
export async function heldOutLoss(
  folder: string,
  settings: DistillSettings,
  { batches, out, cache }: { readonly batches: number; readonly out: string; readonly cache: string },
  context: JobContext,
): Promise<number> {
  const model = openModel(folder);
  const schedule = sharedSchedule(model, model);
  mkdirSync(out, { recursive: true });
  const run = new RunFolder(out);
  const source = await distillBatches(
    model,
    settings,
    schedule.alphaBars.length,
    { cache, onSkipped: (lines) => run.listSkipped(lines) },
    context,
  );
  const { config } = model.unet;
  const { metrics } = distillLoss(config, config, {
    ...{ ...settings, batch: source.rows, latents: source.latents },
    tokens: model.textEncoder.config.max_position_embeddings,
  });
  const graph = { outputs: { sd: metrics.sd } };
  const session = await Session.compile(graph, { weights: storedWeights(graph, model) });
  let sum = 0;
  for (let i = 0; i < batches; i++) {
    const feeds = Object.entries(distillFeeds(source.batch(i), schedule));
    const { sd } = await session.run(
      Object.fromEntries(feeds.map(([name, tensor]) => [name, Tensor.from(tensor)])),
    );
    sum += Number((sd as Tensor).host.data[0]);
  }
  await session.dispose();
  return sum / batches;
}

/** Draws a picture of each prompt into `out`, those that are not there. */
export async function draw(folder: string, prompts: readonly string[], out: string): Promise<void> {
  mkdirSync(out, { recursive: true });
  const fileOf = (seed: number): string => join(out, `${String(seed).padStart(3, '0')}.png`);
  const requests = prompts
    .map((prompt, seed) => ({ prompt, seed }))
    .filter(({ seed }) => !existsSync(fileOf(seed)));
  if (requests.length === 0) return;
  const pipeline = await pipelineOf(openModel(folder));
  for await (const { request, picture } of pipeline.generate(requests, { ...drawing, batch: 8 })) {
    const file = fileOf(request.seed);
    writeFileSync(`${file}.half`, await encodePng(picture));
    renameSync(`${file}.half`, file);
  }
  await pipeline.dispose();
}

/** Seconds that one picture takes when nothing else runs: the best of three, after one that opens everything. */
export async function secondsPerPicture(folder: string): Promise<number> {
  const pipeline = await pipelineOf(openModel(folder));
  let [started, best] = [performance.now(), Infinity];
  const requests = Array.from({ length: 4 }, (_, seed) => ({ prompt: 'a red chair', seed }));
  for await (const { request } of pipeline.generate(requests, { ...drawing, batch: 1 })) {
    const now = performance.now();
    if (request.seed > 0) best = Math.min(best, (now - started) / 1000);
    started = now;
  }
  await pipeline.dispose();
  return best;
}

/** Judges folders of pictures, one a prompt, against the same real ones. */
export class Judge {
  private constructor(
    private readonly mobileNet: MobileNetFeatures,
    private readonly scorer: LikenessScorer,
    private readonly real: Matrix,
    private readonly prompts: readonly Float32Array[],
  ) {}

  static async open(
    real: string,
    prompts: readonly string[],
    { mobileNet: weights, model }: { readonly mobileNet: string; readonly model: string },
  ): Promise<Judge> {
    const mobileNet = await MobileNetFeatures.open(weights);
    const scorer = await LikenessScorer.open(model, 'cpu');
    return new Judge(mobileNet, scorer, await looked(mobileNet, real), await scorer.prompts(prompts));
  }

  async score(pictures: string): Promise<Scores> {
    const made = await looked(this.mobileNet, pictures);
    const [a, b] = [await statisticsOf(made, noPause), await statisticsOf(this.real, noPause)];
    const files = await listPictures(pictures);
    const seen = await this.scorer.pictures(await Promise.all(files.map(loadPicture)));
    return {
      frechet: await frechetDistance(a, b, noPause),
      kid: (await kernelDistance(made, this.real, noPause)).mean,
      prompt: meanOfPartners(seen, this.prompts),
    };
  }
}

const noPause = (): Promise<void> => Promise.resolve();

/** MobileNetV2's features of a folder's pictures, at length √d as `likeness evaluate set` takes them. */
async function looked(network: MobileNetFeatures, folder: string): Promise<Matrix> {
  const vectors: Float32Array[] = [];
  for (const file of await listPictures(folder))
    vectors.push(...(await network.pictures([await loadPicture(file)])));
  return stacked(vectors.map((vector) => vector.map((value) => value * Math.sqrt(vector.length))));
}

async function pipelineOf(model: Model): Promise<TextToImage> {
  return new TextToImage(model, await openTokenizer(model), { provider: 'cpu' });
}
