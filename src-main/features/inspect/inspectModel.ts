import type { Model, ModelPart } from '../../engine/checkpoints/model.ts';
import { modelHash } from '../../engine/checkpoints/openModel.ts';
import { expectTensor, findBadValues, type Weights } from '../../engine/checkpoints/weights.ts';
import { input } from '../../engine/graph/build.ts';
import { clipTextModel } from '../../engine/models/clip.ts';
import type { UNetConfig } from '../../engine/models/config.ts';
import { countMacs } from '../../engine/models/cost.ts';
import { unet } from '../../engine/models/unet.ts';
import { vaeDecode, vaeEncode } from '../../engine/models/vae.ts';
import { Scope } from '../../engine/nn/scope.ts';
import type { Shape } from '../../engine/tensor/tensor.ts';
import { LikenessError } from '../../../src-shared/messages/index.ts';

type ByPart<T> = Readonly<Record<'unet' | 'vae' | 'text_encoder', T>>;

export interface ModelReport {
  readonly kind: Model['kind'];
  readonly path: string;
  readonly family: string;
  readonly hash: string;
  readonly parameters: ByPart<number> & { readonly total: number };
  /** Element types, each part's commonest first. */
  readonly dtype: ByPart<readonly string[]>;
  /** Multiply–accumulates of one U-Net call: one picture of the model's size, a whole prompt, no guidance. */
  readonly macs: number;
  readonly latents: Shape;
  readonly size: { readonly width: number; readonly height: number };
  readonly predictionType: string;
  readonly problems: readonly string[];
}

/** The network's weights by name, as its definition asks for them. */
function wanted(build: (scope: Scope) => unknown): Map<string, Shape> {
  const shapes = new Map<string, Shape>();
  build(
    Scope.root('part', { onWeight: (name, shape) => void shapes.set(name.slice('part.'.length), shape) }),
  );
  return shapes;
}

/** Checks every weight of a model, by name, shape and value, and counts what one call costs. */
export function inspectModel(model: Model): { report: ModelReport; fatal?: LikenessError } {
  const { config } = model.unet;
  const [height, width] = config.sample_size;
  const latents = [1, config.in_channels, height, width];
  const factor = 2 ** (model.vae.config.block_out_channels.length - 1);
  const { hidden_size: contextWidth, max_position_embeddings: tokens } = model.textEncoder.config;

  const denoise = (scope: Scope) =>
    unet(
      scope,
      {
        sample: input('sample', latents),
        timesteps: input('timesteps', [1], 'i64'),
        context: input('context', [1, tokens, contextWidth]),
      },
      config,
    );
  const parts: ByPart<{ part: ModelPart<unknown>; build: (scope: Scope) => unknown }> = {
    unet: { part: model.unet, build: denoise },
    vae: {
      part: model.vae,
      build: (scope) => {
        vaeEncode(scope, input('image', [1, 3, height * factor, width * factor]), model.vae.config);
        vaeDecode(scope, input('latents', latents), model.vae.config);
      },
    },
    text_encoder: {
      part: model.textEncoder,
      build: (scope) => clipTextModel(scope, input('ids', [1, tokens], 'i64'), model.textEncoder.config),
    },
  };
  const found = each(parts, ({ part: { weights }, build }) => checkWeights(weights, wanted(build)));
  const counts = each(parts, ({ part }) => part.weights.parameterCount);
  const macs = countMacs({ outputs: { sample: denoise(Scope.root('unet')).sample } });
  const prediction = model.scheduler['prediction_type'];
  const faults = Object.values(found).flatMap(({ fault }) => fault ?? []);
  return {
    report: {
      kind: model.kind,
      path: model.path,
      family: family(config, contextWidth),
      hash: modelHash(model),
      parameters: { ...counts, total: counts.unet + counts.vae + counts.text_encoder },
      dtype: each(parts, ({ part }) => elementTypes(part.weights)),
      macs: macs.layers + macs.attention,
      latents,
      size: { width: width * factor, height: height * factor },
      predictionType: typeof prediction === 'string' ? prediction : 'epsilon',
      problems: [
        ...faults.map(({ message }) => message),
        ...Object.values(found).flatMap(({ notes }) => notes),
      ],
    },
    ...(faults[0] && { fatal: faults[0] }),
  };
}

function each<T, U>(parts: ByPart<T>, of: (part: T) => U): ByPart<U> {
  return { unet: of(parts.unet), vae: of(parts.vae), text_encoder: of(parts.text_encoder) };
}

interface Findings {
  /** The first thing that keeps the part from working. */
  readonly fault?: LikenessError;
  readonly notes: readonly string[];
}

function checkWeights(weights: Weights, shapes: ReadonlyMap<string, Shape>): Findings {
  // transformers 4 stored this table of 0, 1, 2, … along with the weights.
  const surplus = weights.names().filter((name) => !shapes.has(name) && !name.endsWith('position_ids'));
  const notes = surplus.length
    ? [`${weights.source} has ${surplus.length} unused tensors (${surplus[0]} …)`]
    : [];
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
function family(
  { layers_per_block, mid_block_type, down_block_types }: UNetConfig,
  contextWidth: number,
): string {
  const known = new Map([
    [768, 'Stable Diffusion 1'],
    [1024, 'Stable Diffusion 2'],
  ]);
  const generation = known.get(contextWidth) ?? `Stable Diffusion, prompts ${contextWidth} wide`;
  if (layers_per_block.some((layers) => layers !== 1)) return generation;
  const size = down_block_types.length < 4 ? 'Tiny' : mid_block_type === null ? 'Small' : 'Base';
  return `BK-SDM-${size} (${generation})`;
}
