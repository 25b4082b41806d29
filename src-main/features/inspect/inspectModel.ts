import type { Model, ModelPart } from '../../engine/checkpoints/model.ts';
import { modelHash } from '../../engine/checkpoints/modelHash.ts';
import { emptyEnds } from '../../engine/checkpoints/emptyEnd.ts';
import { assumption } from '../../engine/checkpoints/prediction.ts';
import { expectTensor, findBadValues, type Weights } from '../../engine/checkpoints/weights.ts';
import { input } from '../../engine/graph/build.ts';
import type { Graph } from '../../engine/graph/graph.ts';
import { addedInputs } from '../../engine/models/addedEmbedding.ts';
import { clipTextModel } from '../../engine/models/clip.ts';
import type { UNetConfig } from '../../engine/models/config.ts';
import { countMacs, weightShapes, type Macs } from '../../engine/models/cost.ts';
import { guidanceInput } from '../../engine/models/guidanceEmbedding.ts';
import {
  contextWidth,
  encodePrompt,
  promptEndsInput,
  promptLength,
} from '../../engine/models/textEncoders.ts';
import { unet } from '../../engine/models/unet.ts';
import { vaeDecode, vaeEncode } from '../../engine/models/vae.ts';
import { Scope } from '../../engine/nn/scope.ts';
import { openTokenizer } from '../../engine/pipelines/openTokenizer.ts';
import { resolveScheduler } from '../../engine/schedulers/config.ts';
import type { Shape } from '../../engine/tensor/tensor.ts';
import { LikenessError } from '../../../src-shared/messages/index.ts';
import { plural } from '../../../src-shared/plural.ts';

type NetworkCall = 'unet' | 'text_encoder' | 'vae_encoder' | 'vae_decoder';
/** SDXL has a second text encoder. */
type ByPart<T> = Readonly<Record<'unet' | 'vae' | 'text_encoder', T>> & { readonly text_encoder_2?: T };

export interface ModelReport {
  readonly kind: Model['kind'];
  readonly path: string;
  readonly family: string;
  readonly hash: string;
  readonly parameters: ByPart<number> & { readonly total: number };
  /** Element types of each part, the commonest first. */
  readonly dtype: ByPart<readonly string[]>;
  /**
   * Multiply–accumulates of one U-Net call (one picture of the model's size, a whole prompt, no guidance) in convolutions and
   * linear layers, as the papers count them; attention's own products are counted separately.
   */
  readonly macs: number;
  readonly attentionMacs: number;
  /** The same of one call of every network. */
  readonly partMacs: Readonly<Record<NetworkCall, Macs>>;
  readonly latents: Shape;
  readonly size: { readonly width: number; readonly height: number };
  readonly predictionType: string;
  /** How that is known, of a single file. */
  readonly predictionFrom?: string;
  readonly problems: readonly string[];
}

/** Checks every weight of a model by name, shape and value, its tokenizer and its schedule, and counts the cost of one call. */
export async function inspectModel(model: Model): Promise<{ report: ModelReport; fatal?: LikenessError }> {
  const { config } = model.unet;
  const [height, width] = config.sample_size;
  const latents = [1, config.in_channels, height, width];
  const factor = 2 ** (model.vae.config.block_out_channels.length - 1);
  const contextSize = contextWidth(model);
  const { max_position_embeddings: tokens } = model.textEncoder.config;

  const calls: Readonly<Record<NetworkCall, (scope: Scope) => Graph['outputs']>> = {
    unet: (scope) => {
      const context = input('context', [1, tokens, contextSize]);
      const timesteps = input('timesteps', [1], 'i64');
      const more = { ...guidanceInput(config, 1), ...addedInputs(config, 1) };
      const inputs = { sample: input('sample', latents), timesteps, context, ...more };
      return { sample: unet(scope, inputs, config).sample };
    },
    text_encoder: (scope) =>
      textOutputs(model, (part) => (part === 'text_encoder' ? scope : Scope.root(part))),
    vae_encoder: (scope) => ({
      ...vaeEncode(scope, input('image', [1, 3, height * factor, width * factor]), model.vae.config),
    }),
    vae_decoder: (scope) => ({ image: vaeDecode(scope, input('latents', latents), model.vae.config) }),
  };
  const parts: ByPart<{ part: ModelPart<unknown>; build: (scope: Scope) => unknown }> = {
    unet: { part: model.unet, build: calls.unet },
    vae: { part: model.vae, build: (scope) => [calls.vae_encoder(scope), calls.vae_decoder(scope)] },
    // All of it, though SDXL does not use its last layer.
    text_encoder: {
      part: model.textEncoder,
      build: (scope) => clipTextModel(scope, input('ids', [1, tokens], 'i64'), model.textEncoder.config),
    },
    ...(model.textEncoder2 && {
      text_encoder_2: {
        part: model.textEncoder2,
        build: (scope) =>
          textOutputs(model, (part) => (part === 'text_encoder_2' ? scope : Scope.root(part))),
      },
    }),
  };
  const found = each(parts, ({ part: { weights }, build }) => checkWeights(weights, weightShapes(build)));
  const counts = each(parts, ({ part }) => part.weights.parameterCount);
  const macsOf = (call: NetworkCall): Macs => countMacs({ outputs: calls[call](Scope.root(call)) });
  const partMacs = {
    unet: macsOf('unet'),
    text_encoder: macsOf('text_encoder'),
    vae_encoder: macsOf('vae_encoder'),
    vae_decoder: macsOf('vae_decoder'),
  };
  const prediction = model.scheduler['prediction_type'];
  const others = [
    await faultOf(() => openTokenizer(model)),
    await faultOf(() => resolveScheduler(model.scheduler, undefined, model.path)),
  ];
  const faults = [...Object.values(found).map(({ fault }) => fault), ...others].filter((fault) => !!fault);
  return {
    report: {
      kind: model.kind,
      path: model.path,
      family: family(config, contextSize),
      hash: modelHash(model),
      parameters: {
        ...counts,
        total: counts.unet + counts.vae + counts.text_encoder + (counts.text_encoder_2 ?? 0),
      },
      dtype: each(parts, ({ part }) => elementTypes(part.weights)),
      macs: partMacs.unet.layers,
      attentionMacs: partMacs.unet.attention,
      partMacs,
      latents,
      size: { width: width * factor, height: height * factor },
      predictionType: typeof prediction === 'string' ? prediction : 'epsilon',
      ...(model.prediction && { predictionFrom: model.prediction.from }),
      // In a single file, all parts have the same.
      problems: distinct([
        ...faults.map(({ message }) => message),
        ...Object.values(found).flatMap(({ notes }) => notes),
        ...standInNote(model),
        ...guessNote(model),
      ]),
    },
    ...(faults[0] && { fatal: faults[0] }),
  };
}

const distinct = (all: readonly string[]): string[] => [...new Set(all)];

/** What the text encoders give, the two of SDXL together. */
function textOutputs(model: Model, scopeOf: Parameters<typeof encodePrompt>[0]): Graph['outputs'] {
  const tokens = { ids: input('ids', [1, promptLength(model)], 'i64'), ...promptEndsInput(model, 1) };
  const { context, pooled } = encodePrompt(scopeOf, tokens, model);
  return { context, ...(pooled && { pooled }) };
}

/** A note where another sampler draws than the one the folder names. */
function standInNote(model: Model): string[] {
  try {
    const { name, standsFor } = resolveScheduler(model.scheduler, undefined, model.path);
    return standsFor === undefined
      ? []
      : [`its sampler ${standsFor} is not built in, so ${name} draws instead`];
  } catch (error) {
    if (error instanceof LikenessError) return [];
    throw error;
  }
}

/** A note for version 2, of which both kinds exist. */
function guessNote(model: Model): string[] {
  const note = assumption(model);
  return note !== undefined && model.prediction?.type === 'v_prediction' ? [note] : [];
}

function each<T, U>(parts: ByPart<T>, of: (part: T) => U): ByPart<U> {
  const { unet, vae, text_encoder, text_encoder_2 } = parts;
  return {
    ...{ unet: of(unet), vae: of(vae), text_encoder: of(text_encoder) },
    ...(text_encoder_2 !== undefined && { text_encoder_2: of(text_encoder_2) }),
  };
}

async function faultOf(open: () => unknown): Promise<LikenessError | undefined> {
  try {
    await open();
    return undefined;
  } catch (error) {
    if (error instanceof LikenessError) return error;
    throw error;
  }
}

interface Findings {
  /** The first thing that keeps the part from working. */
  readonly fault?: LikenessError;
  readonly notes: readonly string[];
}

function checkWeights(weights: Weights, shapes: ReadonlyMap<string, Shape>): Findings {
  // transformers 4 stored this table of 0, 1, 2, … along with the weights.
  const surplus = weights.names().filter((name) => !shapes.has(name) && !name.endsWith('position_ids'));
  const cut = emptyEnds(weights).map(
    ({ file, bytes }) =>
      `the last ${(bytes / 1e6).toFixed(1)} MB of ${file} are zeros, as when a download or copy is interrupted; get the file again`,
  );
  const unused = surplus.length
    ? [`${weights.source} has ${plural(surplus.length, 'unused tensor', 'unused tensors')} (${surplus[0]} …)`]
    : [];
  const notes = [...unused, ...cut];
  try {
    for (const [name, shape] of shapes) expectTensor(weights, name, shape);
    findBadValues(weights);
    return { notes };
  } catch (error) {
    if (error instanceof LikenessError) return { fault: error, notes };
    throw error;
  }
}

function elementTypes(weights: Weights): string[] {
  const counts = new Map<string, number>();
  for (const name of weights.names()) {
    const dtype = weights.get(name)?.dtype ?? '';
    counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([dtype]) => dtype);
}

/** Generations differ in the width of their prompts; BK-SDM has one resnet a block and, the smaller, fewer blocks. */
function family(config: UNetConfig, contextWidth: number): string {
  const { layers_per_block, mid_block_type, down_block_types } = config;
  const known = new Map([
    [768, 'Stable Diffusion 1'],
    [1024, 'Stable Diffusion 2'],
  ]);
  if (config.addition) return familyOfXl(config);
  const generation = known.get(contextWidth) ?? `Stable Diffusion, prompts ${contextWidth} wide`;
  if (layers_per_block.some((layers) => layers !== 1)) return generation;
  const size = down_block_types.length < 4 ? 'Tiny' : mid_block_type === null ? 'Small' : 'Base';
  return `BK-SDM-${size} (${generation})`;
}

/** SDXL and what was made from it: KOALA has one resnet a block, SSD-1B and Vega transformers of many depths. */
function familyOfXl({
  layers_per_block,
  mid_block_type,
  reverse_transformer_layers_per_block: depths,
}: UNetConfig): string {
  if (layers_per_block.every((layers) => layers === 1))
    return `KOALA (Stable Diffusion XL${mid_block_type === null ? ', without the mid block' : ''})`;
  const deepest = Math.max(...depths.flat());
  const usual = mid_block_type === 'UNetMidBlock2DCrossAttn' && deepest === 10;
  return usual ? 'Stable Diffusion XL' : `Stable Diffusion XL, transformers at most ${deepest} deep`;
}
