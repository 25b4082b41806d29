import { join } from 'node:path';
import {
  add,
  constant,
  div,
  input,
  log,
  matmul,
  mean,
  mul,
  neg,
  reshape,
  softmax,
  sqrt,
  square,
  sum,
} from '../../src-main/engine/graph/build.ts';
import type { Value } from '../../src-main/engine/graph/ops.ts';
import { clipTextModel } from '../../src-main/engine/models/clip.ts';
import { captionProjection, latentTower } from '../../src-main/engine/models/latentTower.ts';
import { parseClipTextConfig } from '../../src-main/engine/models/parseConfig.ts';
import { Scope } from '../../src-main/engine/nn/scope.ts';
import { f32 } from '../../src-main/engine/tensor/tensor.ts';
import { generatorFor } from '../../src-main/engine/tensor/seeded.ts';
import { captionIds, textFile } from './captionIds.ts';
import { towerConfig } from './modelConfig.ts';
import { numberOption, option, outFolder } from './paths.ts';
import { pretrain } from './pretrain.ts';
import { Pictures } from './shards.ts';
import { StoredLatents } from './storedLatents.ts';
import { writePart } from './writePart.ts';

// Stage 5: text encoder and image tower together, so that a caption's features tell its picture from the others of a batch
// (CLIP: Radford et al. 2021, figure 3). A caption's summary is the mean over its end token and the padding, which all look
// back at the whole caption; so the average that cross-attention starts with is the caption.

const work = join(outFolder(), 'weights');
const batch = numberOption('batch', 128);
const pictures = new Pictures(join(outFolder(), option('name', 'train')));
const stored = new StoredLatents(join(work, 'latents.safetensors'));
const config = parseClipTextConfig(textFile, 'modelConfig.ts');
const length = config.max_position_embeddings;

const latents = input('latents', [batch, ...stored.shape]);
const ids = input('input_ids', [batch, length], 'i64');
const share = input('share', [batch, length, 1]);
const hidden = clipTextModel(Scope.root('text_encoder'), ids, config);
const summary = captionProjection(Scope.root('scorer'), sum(mul(hidden, share), [1]), towerConfig);
const texts = unitLength(summary);
const images = unitLength(latentTower(Scope.root('scorer'), latents, towerConfig));
const own = Float32Array.from({ length: batch * batch }, (_, i) => (i % (batch + 1) === 0 ? 1 : 0));
const diagonal = constant(f32([batch, batch], own));
const chosen = (a: Value, b: Value): Value =>
  sum(mul(softmax(matmul(a, b, { transB: true, scale: towerConfig.logit_scale })), diagonal), [1]);
const [textOfImage, imageOfText] = [chosen(images, texts), chosen(texts, images)];
const surprise = (p: Value): Value => neg(mean(log(add(p, 1e-8))));

const result = await pretrain({
  stage: 'text',
  folder: work,
  loss: mul(add(surprise(textOfImage), surprise(imageOfText)), 0.5),
  metrics: { right: mean(textOfImage) },
  steps: numberOption('steps', 350),
  learningRate: numberOption('rate', 2e-3),
  warmup: 50,
  weightDecay: 1e-2,
  averageDecay: 0.98,
  feeds: (step) => {
    const generator = generatorFor(5, 'text', step);
    const values = new Float32Array(batch * stored.at(0).length);
    const tokens: number[] = [];
    const shares = new Float32Array(batch * length);
    for (const [row, index] of generator.randint(0, stored.count, [batch]).entries()) {
      values.set(stored.at(index), row * stored.at(0).length);
      const captions = pictures.captions[index % (stored.count / 2)]?.captions ?? [];
      const [choice = 0] = generator.rand([1]);
      const own = captionIds(captions[Math.floor(choice * captions.length)] ?? '');
      const end = own.indexOf(textFile.eos_token_id);
      shares.fill(1 / (length - end), row * length + end, (row + 1) * length);
      tokens.push(...own);
    }
    return {
      latents: { dtype: 'f32', shape: latents.shape, data: values },
      input_ids: { dtype: 'i64', shape: ids.shape, data: BigInt64Array.from(tokens, BigInt) },
      share: { dtype: 'f32', shape: share.shape, data: shares },
    };
  },
});
const graph = { outputs: { texts, images } };
writePart(join(work, 'text_encoder'), 'text_encoder', 'model.safetensors', textFile, graph, result);
writePart(join(work, 'scorer'), 'scorer', 'model.safetensors', towerConfig, graph, result);

function unitLength(rows: Value): Value {
  return div(rows, reshape(sqrt(add(sum(square(rows), [1]), 1e-8)), [-1, 1]));
}
