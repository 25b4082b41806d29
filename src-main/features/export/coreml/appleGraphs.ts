import type { Model } from '../../../engine/checkpoints/model.ts';
import {
  add,
  cast,
  concat,
  constant,
  equal,
  gather,
  input,
  integers,
  matmul,
  max,
  mul,
  reshape,
  transpose,
  where,
} from '../../../engine/graph/build.ts';
import type { Graph } from '../../../engine/graph/graph.ts';
import type { Value } from '../../../engine/graph/ops.ts';
import { clipFinalNorm, clipHidden, clipLayer, clipTextModel } from '../../../engine/models/clip.ts';
import { sizeInputs, type ClipTextConfig } from '../../../engine/models/config.ts';
import { contextWidth } from '../../../engine/models/textEncoders.ts';
import { unet } from '../../../engine/models/unet.ts';
import { vaeDecode, vaeEncode } from '../../../engine/models/vae.ts';
import { linear } from '../../../engine/nn/layers.ts';
import { Scope } from '../../../engine/nn/scope.ts';
import { pixelsPerLatent } from '../../../engine/pipelines/sizes.ts';
import { partNames } from '../../../engine/pipelines/weights.ts';
import { f32 } from '../../../engine/tensor/tensor.ts';
import { noiseTables } from './appleNoise.ts';

/** The packages, by the names that Apple's library looks for (StableDiffusionPipeline+Resources.swift, StableDiffusionXL+Resources.swift). */
const appleParts = ['TextEncoder', 'TextEncoder2', 'Unet', 'VAEDecoder', 'VAEEncoder'] as const;
export type ApplePart = (typeof appleParts)[number];

/** Apple's library reads four channels of means from the encoder, whatever the model has; a model of others goes without one. */
export function applePartsOf({ textEncoder2, vae }: Pick<Model, 'textEncoder2' | 'vae'>): ApplePart[] {
  const has = {
    ...{ TextEncoder: true, TextEncoder2: !!textEncoder2, Unet: true, VAEDecoder: true },
    VAEEncoder: vae.config.latent_channels === 4,
  };
  return appleParts.filter((part) => has[part]);
}

/** One network with the inputs, outputs, names and shapes that Apple's converter gives it (torch2coreml.py), for pictures of `size`. */
export interface AppleNetwork {
  readonly graph: Graph;
  /** What inputs and outputs are. */
  readonly features: Readonly<Record<string, string>>;
}

type Floats = 'f16' | 'f32';

/** With guidance, the U-Net is called for both prompts at once. */
const pair = 2;

export function appleNetwork(model: Model, part: ApplePart, size: number, floats: Floats): AppleNetwork {
  const { vae } = model;
  const fed = (name: string, shape: readonly number[]): Value => cast(input(name, shape, floats), 'f32');
  const side = size / pixelsPerLatent(vae.config);
  const vaeScope = Scope.root(partNames.vae);
  const scaling = latentScale(model);
  switch (part) {
    case 'TextEncoder':
      return model.textEncoder2
        ? textEncoderOfXl(partNames.textEncoder, model.textEncoder.config)
        : textEncoder(model.textEncoder.config);
    case 'TextEncoder2':
      if (!model.textEncoder2) throw new Error('the model has one text encoder');
      return textEncoderOfXl(partNames.textEncoder2, model.textEncoder2.config);
    case 'Unet':
      return unetOf(model, side, fed);
    case 'VAEDecoder': {
      const latents = fed('z', [1, vae.config.latent_channels, side, side]);
      const z = scaling === 1 ? latents : mul(latents, scaling);
      return {
        graph: { outputs: { image: vaeDecode(vaeScope, z, vae.config) } },
        features: { z: 'Latents without noise', image: 'The picture, from -1 to 1' },
      };
    }
    case 'VAEEncoder': {
      const x = fed('x', [1, vae.config.in_channels, size, size]);
      const { mean, logvar } = vaeEncode(vaeScope, x, vae.config);
      const moments =
        scaling === 1 ? [mean, logvar] : [mul(mean, 1 / scaling), add(logvar, -2 * Math.log(scaling))];
      return {
        graph: { outputs: { latent: concat(moments, 1) } },
        features: { x: 'A picture, from -1 to 1', latent: 'Mean and log-variance of its latents' },
      };
    }
  }
}

/**
 * Apple's library divides and multiplies latents by the scaling factor of Stable Diffusion's or SDXL's VAE. This is what its latents
 * are multiplied by for a VAE of another factor.
 */
export function latentScale({ textEncoder2, vae }: Pick<Model, 'textEncoder2' | 'vae'>): number {
  return (textEncoder2 ? 0.13025 : 0.18215) / vae.config.scaling_factor;
}

const tokenText = { input_ids: 'The tokens of a prompt' };

/** Apple's library feeds tokens as floats of 32 bits. */
function tokenInput({ max_position_embeddings: tokens }: ClipTextConfig): Value {
  return cast(input('input_ids', [1, tokens]), 'i64');
}

function textEncoder(config: ClipTextConfig): AppleNetwork {
  const state = clipTextModel(Scope.root(partNames.textEncoder), tokenInput(config), config);
  return {
    graph: { outputs: { last_hidden_state: state } },
    features: { ...tokenText, last_hidden_state: 'The prompt, token by token' },
  };
}

/** The library reads a pooled prompt from both of SDXL's, and uses that of the second, which has a projection. */
function textEncoderOfXl(name: string, config: ClipTextConfig): AppleNetwork {
  const scope = Scope.root(name);
  const ids = tokenInput(config);
  const last = config.num_hidden_layers - 1;
  const hidden = clipHidden(scope, ids, config, last);
  const layer = scope.at('text_model', 'encoder', 'layers', last);
  const final = clipFinalNorm(scope, clipLayer(layer, hidden, config, true), config);
  const end = atEnd(ids, final, config);
  const projected = (): Value =>
    linear(scope.at('text_projection'), end, config.projection_dim, { bias: false });
  const pooled = name === partNames.textEncoder2 ? projected() : end;
  return {
    graph: { outputs: { hidden_embeds: hidden, pooled_outputs: pooled } },
    features: {
      ...tokenText,
      hidden_embeds: 'The prompt, token by token',
      pooled_outputs: 'The whole prompt',
    },
  };
}

function unetOf(
  model: Model,
  side: number,
  fed: (name: string, shape: readonly number[]) => Value,
): AppleNetwork {
  const { config } = model.unet;
  const tokens = model.textEncoder.config.max_position_embeddings;
  const width = contextWidth(model);
  const sample = fed('sample', [pair, config.in_channels, side, side]);
  const timestep = fed('timestep', [pair]);
  // Apple's layout: [b, channels, 1, tokens].
  const states = fed('encoder_hidden_states', [pair, width, 1, tokens]);
  const context = transpose(reshape(states, [pair, width, tokens]), [0, 2, 1]);
  const added = config.addition && {
    time_ids: fed('time_ids', [pair, sizeInputs]),
    text_embeds: fed('text_embeds', [pair, config.addition.textWidth]),
  };
  const { timesteps, asNoise } = noiseTables(model);
  const at = (table: Float32Array): Value =>
    reshape(gather(constant(f32([table.length, 1], table)), cast(timestep, 'i64')), [pair]);
  const own = timesteps ? at(timesteps) : timestep;
  const inputs = { sample, timesteps: own, context, ...(added && { added }) };
  const output = unet(Scope.root(partNames.unet), inputs, config).sample;
  const share = (table: Float32Array): Value => reshape(at(table), [pair, 1, 1, 1]);
  const noise = asNoise
    ? add(mul(output, share(asNoise.ofOutput)), mul(sample, share(asNoise.ofSample)))
    : output;
  return {
    graph: { outputs: { noise_pred: noise } },
    features: {
      sample: 'Noisy latents, for the negative prompt and for the prompt',
      timestep: 'How noisy they are: 0 to 999',
      encoder_hidden_states: 'Both prompts, as the text encoder gives them',
      time_ids: 'Sizes of the original, its crop and the picture',
      text_embeds: 'Both whole prompts',
      noise_pred: 'The noise',
    },
  };
}

/**
 * The state [1,d] where the prompt ends, of states [1,t,d], as transformers' `CLIPTextTransformer`: at the first end token, or, with
 * the old setting `eos_token_id` 2, at the first of the greatest ones; at the start where there is none.
 */
function atEnd(ids: Value, states: Value, { eos_token_id: end }: ClipTextConfig): Value {
  const tokens = ids.shape[1] as number;
  const row = (entry: (place: number) => number): Value =>
    constant(
      f32(
        [1, tokens],
        Array.from({ length: tokens }, (_, place) => entry(place)),
      ),
    );
  const isEnd = equal(ids, end === 2 ? max(ids, [1], true) : integers([1, 1], [end]));
  const earliness = where(
    isEnd,
    row((place) => tokens - place),
    row((place) => (place === 0 ? 0.5 : 0)),
  );
  const isFirst = equal(earliness, max(earliness, [1], true));
  const chosen = where(
    isFirst,
    row(() => 1),
    row(() => 0),
  );
  return reshape(matmul(reshape(chosen, [1, 1, tokens]), states), [1, -1]);
}
