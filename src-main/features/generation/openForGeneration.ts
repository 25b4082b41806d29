import { createHash } from 'node:crypto';
import { fitLora, fitWholeLora, someOf, type FittedLora } from '../../engine/checkpoints/lora/fitLora.ts';
import { readLora } from '../../engine/checkpoints/lora/readLora.ts';
import { readEmbedding, wordsFor, type Embedding } from '../../engine/checkpoints/embedding.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { hasHash, modelHash, partsHash } from '../../engine/checkpoints/modelHash.ts';
import { openModel, withUnet } from '../../engine/checkpoints/openModel.ts';
import { assumption } from '../../engine/checkpoints/prediction.ts';
import { bindLoras, type WeightedLora } from '../../engine/pipelines/adapters.ts';
import { openTokenizer } from '../../engine/pipelines/openTokenizer.ts';
import { withRoomForWords } from '../../engine/pipelines/withWords.ts';
import type { WeightLookup } from '../../engine/pipelines/weights.ts';
import { LatentColours } from '../../engine/pipelines/preview.ts';
import { refuseHalfCheckpoint } from '../../engine/training/run/wholeCheckpoint.ts';
import { TextToImage } from '../../engine/pipelines/textToImage.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { HostTensor } from '../../engine/tensor/tensor.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { GenerateRequest, LoraChoice } from './request.ts';
import { openWholeRun, weightsOfRuns, type WholeRun } from './runs.ts';

export interface OpenedModel {
  readonly textToImage: TextToImage;
  /** For previews; fitted when first needed. */
  readonly colours: () => Promise<LatentColours>;
  readonly hash: string;
  /** Whether the model has this hash, which an older version may have made. */
  readonly isOf: (hash: string) => boolean;
  /** Where the U-Net is from, if from elsewhere than the model. */
  readonly unet?: { readonly path: string; readonly hash: string };
  readonly loras: readonly (LoraChoice & Pick<OpenedModel, 'hash' | 'isOf'>)[];
  /** Textual inversions, without those that came with a LoRA. */
  readonly embeddings: readonly { readonly path: string; readonly word: string; readonly hash: string }[];
}

/**
 * Opens the model, its tokenizer, and LoRAs and runs of any method. Errors: those of `openModel`, `readEmbedding` and `readLora`,
 * `embedding.…`, `clipSkip.tooMany`, `lora.otherModel`, `tokenizer.*`.
 */
export async function openForGeneration(
  request: Pick<
    GenerateRequest,
    | 'model'
    | 'unet'
    | 'loras'
    | 'provider'
    | 'precision'
    | 'partial'
    | 'prediction'
    | 'clipSkip'
    | 'embeddings'
    | 'regions'
  >,
  report: JobContext['report'],
): Promise<OpenedModel> {
  const { unet } = request;
  const stored = openModel(request.model, request.prediction);
  const model = unet === undefined ? stored : withUnet(stored, unet);
  const note = assumption(model);
  if (note !== undefined) report({ type: 'note', message: note });
  const taught = request.loras.map((choice) =>
    openTaught(choice, model, { report, partial: request.partial ?? false }),
  );
  const { adapters, matrices } = bindLoras(taught.filter((one) => 'adapters' in one));
  const whole = weightsOfRuns(
    model,
    taught.filter((one) => 'parts' in one),
  );
  const given = (request.embeddings ?? []).map(({ path, word }) => ({ ...readEmbedding(path, word), path }));
  const others = (request.regions ?? [])
    .map(({ lora }) => lora)
    .filter(({ path }, i, all) => all.findIndex((one) => one.path === path) === i)
    .filter(({ path }) => request.loras.every((one) => one.path !== path));
  // What boxes teach their own networks is read where those are opened; their words are the tokenizer's.
  const inBoxes = others.map((choice) =>
    openTaught(choice, model, { report: () => undefined, partial: true }),
  );
  const bundled = [...taught, ...inBoxes].flatMap((one) => ('embeddings' in one ? one.embeddings : []));
  const words = wordsFor(model, [...given, ...bundled]);
  const tokenizer = (await openTokenizer(model)).withWords(words.counts, words.firstId);
  const { clipSkip = 0 } = request;
  const roomy = (one: Model): Model => withRoomForWords(one, words.vectors.shape[0]);
  const read = roomy(withoutLastLayers(model, clipSkip));
  const own: WeightLookup = (name) => matrices(name) ?? whole(name);
  const options = {
    ...{ provider: request.provider, adapters, own },
    ...(request.precision && { precision: request.precision }),
    ...(words.counts.size > 0 && { words: words.vectors }),
  };
  const textToImage = new TextToImage(read, tokenizer, options, clipSkip > 0 ? roomy(model) : undefined);
  let colours: Promise<LatentColours> | undefined;
  return {
    textToImage,
    colours: () => (colours ??= LatentColours.of(textToImage.networks, model.vae.config)),
    hash: modelHash(model),
    isOf: (hash) => hasHash(model, hash),
    ...(unet !== undefined && { unet: { path: unet, hash: partsHash(model.unet) } }),
    loras: taught.map(({ path, weight, hash, isOf }) => ({ path, weight, hash, isOf })),
    embeddings: given.map(({ path, word, vectors }) => ({ path, word, hash: hashOfNumbers([vectors]) })),
  };
}

/** A LoRA of any tool, or a run of any method. Errors: those of `readLora` and `openWholeRun`, `lora.otherModel`, `run.half`. */
export function openTaught(
  choice: LoraChoice,
  model: Model,
  options: { readonly report: JobContext['report']; readonly partial: boolean },
): WholeRun | ReturnType<typeof openLora> {
  if (!options.partial) refuseHalfCheckpoint(choice.path, model);
  return openWholeRun(choice, model) ?? openLora(choice, model, options);
}

function openLora(
  choice: LoraChoice,
  model: Model,
  { report, partial }: { readonly report: JobContext['report']; readonly partial: boolean },
): WeightedLora & OpenedModel['loras'][number] & { readonly embeddings: readonly Embedding[] } {
  const lora = readLora(choice.path);
  const fitted = partial ? fitLora(lora, model) : fitWholeLora(lora, model);
  if (fitted.unmatched.length) {
    const message = `Left out of ${choice.path}: ${someOf(fitted.unmatched)}.`;
    report({ type: 'warning', message });
  }
  const hash =
    fitted.adapters.length + fitted.changes.length > 0
      ? loraHash(fitted)
      : hashOfNumbers([...lora.embeddings].flat());
  const embeddings = [...lora.embeddings].map(([word, vectors]) => ({ word, vectors, path: choice.path }));
  return { ...choice, ...fitted, hash, embeddings, isOf: (other) => other === hash };
}

/** The text encoder without its last layers, as diffusers' `clip_skip` reads the states before them. Errors: `clipSkip.tooMany`. */
function withoutLastLayers(model: Model, skipped: number): Model {
  if (skipped > 0 && model.textEncoder2)
    throw problem('model.notForXl', { model: model.path, what: 'clip skip' });
  const { config } = model.textEncoder;
  const layers = config.num_hidden_layers;
  if (skipped > layers) throw problem('clipSkip.tooMany', { model: model.path, layers });
  const shorter = { ...config, num_hidden_layers: layers - skipped };
  return { ...model, textEncoder: { ...model.textEncoder, config: shorter } };
}

/** 16 hex digits of SHA-256 over every matrix. */
function loraHash({ adapters, changes }: FittedLora): string {
  const parts = [
    ...adapters.map(({ part, module, alpha, A, B }) => ({
      name: `${part}.${module} ${alpha};`,
      tensors: [A, B],
    })),
    ...changes.map(({ part, module, tensor, method, parameters }) => ({
      name: `${part}.${module}.${tensor} ${method};`,
      tensors: parameters,
    })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  return hashOfNumbers(parts.flatMap(({ name, tensors }) => [name, ...tensors]));
}

function hashOfNumbers(parts: readonly (string | HostTensor<'f32'>)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    if (typeof part === 'string') hash.update(part);
    else hash.update(new Uint8Array(part.data.buffer, part.data.byteOffset, part.data.byteLength));
  }
  return hash.digest('hex').slice(0, 16);
}
