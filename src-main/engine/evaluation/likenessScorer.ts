import { join } from 'node:path';
import * as z from 'zod';
import { faultOf } from '../../../src-shared/domain/settingValues.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { isFile, readJson } from '../checkpoints/files.ts';
import type { Model } from '../checkpoints/model.ts';
import { openModel } from '../checkpoints/openModel.ts';
import { readSafetensors } from '../checkpoints/safetensors.ts';
import { expectTensor, Weights } from '../checkpoints/weights.ts';
import { input, mul, sum } from '../graph/build.ts';
import { leaves, type Graph } from '../graph/graph.ts';
import { clipTextModel } from '../models/clip.ts';
import { captionProjection, latentTower, type LatentTowerConfig } from '../models/latentTower.ts';
import type { Tokenizer } from '../models/tokenizer.ts';
import { vaeEncode } from '../models/vae.ts';
import { Scope } from '../nn/scope.ts';
import { openTokenizer } from '../pipelines/openTokenizer.ts';
import type { Picture } from '../pictures/pixels.ts';
import { squeezed } from '../pictures/squeezed.ts';
import { TextToImage } from '../pipelines/textToImage.ts';
import { partNames, storedWeights } from '../pipelines/weights.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';
import { Session } from '../runtime/session.ts';
import { f32, i64, type HostTensor } from '../tensor/tensor.ts';
import { normalized, type Features } from './features.ts';
import { batch, batchOf, checkFinite, inBatches } from './inBatches.ts';

const part = 'scorer';

const configSchema = z.object({
  _class_name: z.literal('LatentImageTower'),
  in_channels: z.int().min(1),
  block_out_channels: z.array(z.int().min(1)).min(1),
  norm_num_groups: z.int().min(1),
  projection_dim: z.int().min(1),
});

/**
 * The shipped model's own scorer, learnt contrastively with its text encoder (`models/recipe/train/text.py`): pictures by the VAE's latents
 * and an image tower, prompts by the text encoder and a projection. In the model's folder, under `scorer`.
 */
export class LikenessScorer implements Features {
  readonly name = 'Likeness scorer';

  private constructor(
    private readonly model: Model,
    private readonly size: number,
    private readonly tokenizer: Tokenizer,
    private readonly images: Session,
    private readonly texts: Session,
  ) {}

  static isIn(folder: string): boolean {
    return isFile(join(folder, part, 'config.json'));
  }

  /** Errors: those of `openModel`, `openTokenizer` and `readSafetensors`, `config.invalid`, `tensor.*`. */
  static async open(folder: string, provider: ProviderChoice): Promise<LikenessScorer> {
    const file = join(folder, part, 'config.json');
    const config = configSchema.safeParse(readJson(file));
    if (!config.success) throw problem('config.invalid', { file, why: faultOf(config.error) });
    const model = openModel(folder);
    const { width: size } = TextToImage.defaultSize(model);
    const compile = (graph: Graph): Promise<Session> =>
      Session.compile(graph, { provider, weights: weightsOf(graph, model, folder) });
    const tokenizer = await openTokenizer(model);
    const images = await compile(imageGraph(model, config.data, size));
    return new LikenessScorer(model, size, tokenizer, images, await compile(textGraph(model, config.data)));
  }

  async pictures(pictures: readonly Picture[]): Promise<Float32Array[]> {
    const { size } = this;
    return this.vectors(this.images, pictures, async (some) => ({
      image: batchOf(await Promise.all(some.map((picture) => toSigned(picture, size))), [size, size]),
    }));
  }

  /** Errors: `tokenizer.*`. */
  async prompts(prompts: readonly string[]): Promise<Float32Array[]> {
    const { max_position_embeddings: length, eos_token_id: eos } = this.model.textEncoder.config;
    return this.vectors(this.texts, prompts, (some) => {
      const ids: number[] = [];
      const share = f32([batch, length, 1]);
      for (let row = 0; row < batch; row++) {
        const own = this.tokenizer.encode(some[row] ?? '').ids;
        const end = Math.max(0, own.indexOf(eos));
        share.data.fill(1 / (length - end), row * length + end, (row + 1) * length);
        ids.push(...own);
      }
      return { ids: i64([batch, length], ids), share };
    });
  }

  async dispose(): Promise<void> {
    await this.images.dispose();
    await this.texts.dispose();
  }

  private async vectors<T>(
    session: Session,
    items: readonly T[],
    feeds: (some: readonly T[]) => Record<string, HostTensor> | Promise<Record<string, HostTensor>>,
  ): Promise<Float32Array[]> {
    const found = await inBatches(
      items,
      async (some) => (await session.runHost(await feeds(some)))['vectors'],
    );
    checkFinite(found, this.model.path, part);
    return found.map(normalized);
  }
}

function imageGraph({ vae }: Model, config: LatentTowerConfig, size: number): Graph {
  const image = input('image', [batch, 3, size, size]);
  const { mean } = vaeEncode(Scope.root(partNames.vae), image, vae.config);
  return {
    outputs: { vectors: latentTower(Scope.root(part), mul(mean, vae.config.scaling_factor), config) },
  };
}

/** A caption's summary is the mean over its end token and the padding, which all look back at the whole caption. */
function textGraph({ textEncoder }: Model, config: LatentTowerConfig): Graph {
  const { max_position_embeddings: length } = textEncoder.config;
  const ids = input('ids', [batch, length], 'i64');
  const share = input('share', [batch, length, 1]);
  const hidden = clipTextModel(Scope.root(partNames.textEncoder), ids, textEncoder.config);
  return { outputs: { vectors: captionProjection(Scope.root(part), sum(mul(hidden, share), [1]), config) } };
}

function weightsOf(graph: Graph, model: Model, folder: string): ReturnType<typeof storedWeights> {
  const file = join(folder, part, 'model.safetensors');
  const { tensors, otherTypes } = readSafetensors(file);
  const weights = new Weights(file, tensors, otherTypes);
  const parameters = leaves(graph, 'parameter');
  return storedWeights(graph, model, (name) =>
    name.startsWith(`${part}.`)
      ? expectTensor(weights, name.slice(part.length + 1), parameters.get(name)?.shape ?? [])
      : undefined,
  );
}

/** A picture squeezed to [3,size,size], values −1…1. */
function toSigned(picture: Picture, size: number): Promise<Float32Array> {
  return squeezed(picture, size, (byte) => byte / 127.5 - 1);
}
